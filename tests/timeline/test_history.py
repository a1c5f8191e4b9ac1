"""What is asked of a client: all of it at first, and then what may be another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from hsched.client import AsyncClient
from hsched.errors import NotRunning
from hsched.timeline.history import Past
from hsched.wire.jobs import JobView
from hsched.wire.runs import RunView
from tests.cli.conftest import job

RUN = "2026-11-21/03-06-00"
THEN = "2026-11-21T03:06:01+00:00"


class Fake:
    """Answers as the client does, of the ``views``, and remembers which it gave."""

    name = "default"

    def __init__(self, *views: JobView) -> None:
        self.views = {view.id: view for view in views}
        self.given: list[str] = []
        self.runs_now = True
        self.ended_at: float | None = None

    async def runs(self) -> tuple[RunView, ...]:
        return (RunView(name=RUN, started_at=0.0, ended_at=self.ended_at),)

    async def slots(self) -> tuple[Any, ...]:
        return ()

    async def jobs(self, *words: str, scope: str, **more: Any) -> AsyncIterator[JobView]:
        if scope == "live" and not self.runs_now:
            raise NotRunning("it has stopped")
        for view in self.views.values():
            is_meant = not words or view.id in words
            is_new = int(view.id) > int(more.get("after") or 0)
            if is_meant and is_new and (scope == "all" or view.state != "done"):
                self.given.append(view.id)
                yield view


def done(identity: str) -> JobView:
    return job(id=identity, state="done", outcome="succeeded", started_at=THEN, ended_at=THEN)


def live(identity: str) -> JobView:
    return job(id=identity, started_at=THEN)


@pytest.fixture
def fake() -> Fake:
    return Fake(done("1"), live("2"), done("3"))


def looks(fake: Fake, *changes: Any) -> list[tuple[list[str], list[str]]]:
    """Look once, and once after each change: what was asked for, and which jobs are live."""

    async def run() -> list[tuple[list[str], list[str]]]:
        past, seen = Past(cast(AsyncClient, fake)), []
        for change in (lambda: None, *changes):
            change()
            fake.given.clear()
            found = await past.read(1e9)
            assert {stay.job for stay in found.stays} == set(fake.views)
            assert len(found.stays) == len(fake.views)
            alive = [stay.job for stay in found.stays if stay.is_live]
            seen.append((list(fake.given), alive))
        return seen

    return asyncio.run(run())


def test_what_is_done_is_asked_for_once(fake: Fake) -> None:
    def more() -> None:
        fake.views["4"] = live("4")

    first, second, third = looks(fake, more, lambda: None)
    assert first == (["1", "2", "3"], ["2"])
    assert second == (["2", "4", "4"], ["2", "4"])
    assert third == (["2", "4"], ["2", "4"])


def test_what_has_ended_meanwhile_is_asked_for_by_id(fake: Fake) -> None:
    def end() -> None:
        fake.views["2"] = done("2")

    _, second, third = looks(fake, end, lambda: None)
    assert second == (["2"], [])
    assert third == ([], [])


def test_a_scheduler_that_has_stopped_is_asked_through_its_history(fake: Fake) -> None:
    def stop() -> None:
        fake.runs_now, fake.ended_at = False, 2e9
        fake.views["2"] = done("2")

    def go_on() -> None:
        fake.runs_now, fake.ended_at = True, None
        fake.views["5"] = live("5")

    _, stopped, still, again = looks(fake, stop, lambda: None, go_on)
    assert stopped == (["2"], [])
    assert still == ([], [])
    assert again == (["5"], ["5"])


def test_several_who_look_at_once_take_turns(fake: Fake) -> None:
    async def run() -> list[SimpleNamespace]:
        past = Past(cast(AsyncClient, fake))
        found = await asyncio.gather(past.read(1e9), past.read(1e9))
        return [SimpleNamespace(count=len(one.stays)) for one in found]

    assert [one.count for one in asyncio.run(run())] == [3, 3]
