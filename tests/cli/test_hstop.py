"""hstop: one, several, or all."""

from __future__ import annotations

import pytest

from hsched import paths
from hsched.errors import NotRunning, Refused
from hsched.wire.stop import StopReply
from tests.cli.conftest import FakeClient, Run


def stopped(client: type[FakeClient]) -> list[str | None]:
    return [arguments[0] for verb, arguments, _ in client.calls if verb == "open"]


def test_the_default_is_stopped_and_its_folder_told(run: Run, client: type[FakeClient]) -> None:
    client.answers["stop"] = "/state/run"
    result = run("hstop")
    assert result.stdout == "stopped default scheduler; its logs are in /state/run\n"
    assert client.calls[-1] == ("stop", (), {"force": False, "grace": None})


def test_force_and_grace_are_passed_on(run: Run, client: type[FakeClient]) -> None:
    run("hstop", "-f", "--grace", "1")
    assert client.calls[-1] == ("stop", (), {"force": True, "grace": 1.0})


def test_several_are_stopped_though_one_is_refused(run: Run, client: type[FakeClient]) -> None:
    client.answers["stop"] = {"a": Refused("jobs are still queued"), "b": "/b"}
    result = run("hstop", "--name", "a", "--name", "b")
    assert result.exit_code == 1
    assert result.stderr == "hstop: jobs are still queued\n"
    assert "stopped b" in result.stdout


def test_all_skips_those_that_do_not_run(
    run: Run, client: type[FakeClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "names", lambda: ["a", "b"])
    client.answers["stop"] = {"a": NotRunning("not running"), "b": "/b"}
    result = run("hstop", "--all")
    assert stopped(client) == ["a", "b"]
    assert (result.stderr, result.exit_code) == ("", 0)


@pytest.mark.parametrize(
    ("running", "pending", "told"),
    [
        (2, 3, "draining default scheduler; it stops when 2 jobs have ended; 3 pending jobs wait"),
        (1, 0, "draining default scheduler; it stops when 1 jobs have ended\n"),
        (0, 0, "stopped default scheduler; its logs are in /state/run\n"),
    ],
)
def test_drain_says_what_is_left(
    run: Run, client: type[FakeClient], running: int, pending: int, told: str
) -> None:
    client.answers["drain"] = StopReply(folder="/state/run", running=running, pending=pending)
    assert told in run("hstop", "--drain").stdout


def test_drain_waits_for_nobody_where_slurm_is_asked(run: Run, client: type[FakeClient]) -> None:
    client.answers["drain"] = StopReply(folder="/state/run", pending=2, asks=True)
    told = run("hstop", "--drain").stdout
    assert "it stops when Slurm holds what is pending; 2 pending jobs wait" in told


def test_drain_and_force_exclude_each_other(run: Run, client: type[FakeClient]) -> None:
    assert run("hstop", "--drain", "--force").exit_code == 2
    assert not client.calls


def test_name_and_all_exclude_each_other(run: Run, client: type[FakeClient]) -> None:
    result = run("hstop", "--all", "--name", "a")
    assert result.exit_code == 2
    assert not client.calls
