"""hwait: which jobs are meant, and what becomes of their ends."""

from __future__ import annotations

from typing import Any

import pytest

from hsched.errors import NoSuchJob
from hsched.wire.subscribe import Change
from tests.cli.conftest import FakeClient, Run, job


class Pages:
    """A subscription that tells what it was given, and then that the time is up."""

    def __init__(self, *pages: tuple[Change, ...]) -> None:
        self.pages = list(pages)

    def __enter__(self) -> Pages:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def page(self) -> tuple[Change, ...] | None:
        return self.pages.pop(0) if self.pages else None


def done(identity: str, status: int) -> Change:
    return Change(number=1, id=identity, state="done", outcome="failed", exit_status=status)


def waits_for(client: type[FakeClient]) -> Any:
    (found,) = [arguments for verb, arguments, _ in client.calls if verb == "subscribe"]
    return found


def test_ids_go_as_they_are_and_names_mean_live_jobs(run: Run, client: type[FakeClient]) -> None:
    client.answers["jobs"] = [job(id="5"), job(id="7")]
    client.answers["subscribe"] = Pages((done("7", 3), done("7.2", 1)), (done("5", 0),))
    result = run("hwait", "-n", "lab", "--timeout", "2m", "7", "7.2", "train")
    assert (result.exit_code, result.output) == (3, "")
    assert waits_for(client) == (("7", "7.2", "5"), 120.0)
    assert ("jobs", ("train",), {"scope": "live"}) in client.calls


def test_a_range_means_all_jobs_in_it(run: Run, client: type[FakeClient]) -> None:
    client.answers["jobs"] = [job(id="5")]
    client.answers["subscribe"] = Pages((done("5", 4),))
    assert run("hwait", "3-6").exit_code == 4
    assert ("jobs", ("3-6",), {"scope": "all"}) in client.calls


def test_any_is_over_with_the_first(run: Run, client: type[FakeClient]) -> None:
    client.answers["subscribe"] = Pages((), (done("8", 1),), (done("7", 9),))
    assert run("hwait", "--any", "7", "8").exit_code == 1


def test_nothing_to_wait_for(run: Run, client: type[FakeClient]) -> None:
    client.answers["subscribe"] = Pages()
    assert run("hwait", "--all").exit_code == 0


def test_the_time_is_up(run: Run, client: type[FakeClient]) -> None:
    client.answers["subscribe"] = Pages((Change(number=0, id="7", state="running"),))
    result = run("hwait", "7")
    assert result.exit_code == 124
    assert result.stderr == "hwait: the time is up, and 1 of 1 jobs are not done\n"


def test_a_failure_of_ours_is_125(run: Run, client: type[FakeClient]) -> None:
    client.answers["subscribe"] = NoSuchJob("couldn't find job 7")
    result = run("hwait", "7")
    assert (result.exit_code, result.stderr) == (125, "hwait: couldn't find job 7\n")


@pytest.mark.parametrize("words", [[], ["--all", "7"], ["--timeout", "soon", "7"]])
def test_wrong_usage(run: Run, words: list[str]) -> None:
    assert run("hwait", *words).exit_code == 2
