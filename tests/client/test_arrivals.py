"""A subscription that also tells what comes in, for whoever shows the whole queue."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from hsched import Client, JobSpec
from hsched.client.subscription import Subscription, wait_for_news
from hsched.errors import NotRunning
from tests.e2e.shell import DEADLINE_S, Shell


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client of a scheduler with two cores."""
    terminal = Shell()
    monkeypatch.setenv("HOME", str(terminal.home))
    try:
        terminal.ok("hstart", "2")
        with Client() as found:
            yield found
    finally:
        terminal.close()


def sleeper(slots: str, **given: Any) -> JobSpec:
    return JobSpec(slots=slots, argv=("sleep", "1000"), **given)


def test_who_waits_for_ends_is_told_of_nothing_else(client: Client) -> None:
    ids = [job.id for job in client.submit_batch([sleeper("1"), sleeper("1", array=(0, 1))])]
    with client.subscribe(ids, DEADLINE_S, ends=True) as changes:
        first = changes.page() or ()
        assert [change.id for change in first] == ["1", "2.0", "2.1"], "how all of them stand"
        client.hold(["2.1"])
        client.kill(["1"])
        client.kill(["2"])
        told: list[tuple[str, str]] = []
        while ("2", "done") not in told:
            told += [(change.id, change.state) for change in changes.page() or ()]
    assert sorted(told) == [(word, "done") for word in ("1", "2", "2.0", "2.1")]


def test_arrivals_and_changed_slots_are_told_to_those_who_asked(client: Client) -> None:
    with (
        client.subscribe(timeout=DEADLINE_S, arrivals=True) as all_of_it,
        client.subscribe(timeout=DEADLINE_S) as changes,
    ):
        assert (all_of_it.page(), changes.page()) == ((), ())
        client.submit(sleeper("2"))
        client.submit_batch([sleeper("1", array=(0, 1)), sleeper("1")])
        told: list[tuple[str, str]] = []
        while len(told) < 6:
            told += [(change.id, change.state) for change in all_of_it.page() or ()]
        assert sorted(told) == [
            ("1", "pending"),
            ("1", "running"),
            ("1", "starting"),
            ("2.0", "pending"),
            ("2.1", "pending"),
            ("3", "pending"),
        ]
        assert told.index(("1", "pending")) < told.index(("1", "starting"))
        client.drain_slots(["cores:1"])
        assert all_of_it.page() == ()
        client.hold(["3"])
        assert [one.id for one in all_of_it.page() or ()] == ["3"]
        heard: list[str] = []
        while "3" not in heard:
            heard += [change.id for change in changes.page() or ()]
        assert heard == ["1", "1", "3"], "others are not told of arrivals"


def test_news_of_several_are_waited_for_at_once(client: Client) -> None:
    ours, theirs = os.pipe()
    with (
        client.subscribe(arrivals=True) as first,
        client.subscribe(arrivals=True) as second,
        open(ours, "rb"),
        open(theirs, "wb", buffering=0) as written,
    ):
        for one in (first, second):
            one.begin()
            assert wait_for_news([one], timeout=DEADLINE_S) == [one]
        assert wait_for_news([first, second], timeout=0.0) == []
        written.write(b"x")
        assert wait_for_news([first, second], ours) == []
        jobs = [client.submit(sleeper("2")) for _ in range(30)]
        assert set(wait_for_news([first, second], timeout=DEADLINE_S)) <= {first, second}
        client.kill([job.id for job in jobs])
        client.stop()
        while not is_over(first):
            assert first in wait_for_news([first], timeout=DEADLINE_S)


def test_a_hundred_pages_are_passed_over_in_a_few_waits(client: Client) -> None:
    client.submit(sleeper("2"))
    job = client.submit(sleeper("1"))
    with client.subscribe(arrivals=True) as changes:
        changes.begin()
        for _ in range(50):
            client.hold([job.id])
            client.release([job.id])
            client.update([job.id], priority=1)
        waits = 0
        while wait_for_news([changes], timeout=0.2):
            waits += 1
    assert 1 <= waits < 50


def is_over(changes: Subscription) -> bool:
    try:
        changes.begin()
    except NotRunning:
        return True
    return False


def test_states_are_chosen_before_paging(client: Client) -> None:
    first, *_ = client.submit_batch([sleeper("2"), *[sleeper("1")] * 1500])
    assert client.wait([first.id], timeout=0.0) is False
    client.hold(["1400"])
    assert [job.id for job in client.jobs(states=("starting", "running"))] == ["1"]
    assert len(list(client.jobs(states=("pending",)))) == 1500
    assert list(client.jobs("5", states=("running",))) == []
    assert list(client.jobs(last=3, states=("running",))) == []
    ids = [view.id for view in client.jobs(scope="all")]
    assert [view.id for view in client.jobs(scope="all", after=ids[1])] == ids[2:]
    assert list(client.jobs(scope="all", after=ids[-1])) == []
