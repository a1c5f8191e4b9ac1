"""hstatus: the schedulers that run, and what is wrong with those that do not."""

from __future__ import annotations

import json

import pytest

from hsched import paths
from hsched.errors import NoAnswer, NotRunning
from tests.cli.conftest import FakeClient, Run, status


@pytest.fixture(autouse=True)
def _three_schedulers(client: type[FakeClient], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HSCHED_HOME", "/state")
    monkeypatch.setattr(paths, "names", lambda: ["lab", "slow", "stopped"])
    client.answers["status"] = {
        "lab": status("lab", total=3, running=1, pending=2),
        "slow": NoAnswer("scheduler slow did not answer in 2 s"),
        "stopped": NotRunning("scheduler stopped: bad state or not running"),
    }


def test_all_that_run_are_listed_and_what_hangs_is_named(run: Run) -> None:
    result = run("hstatus")
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["NAME", "TOTAL", "FREE", "USED", "JOBS", "RUNNING", "PENDING"],
        ["lab", "6,2", "2,2", "4,0", "3", "1", "2"],
        ["slow", *"-----", "not", "answering"],
    ]
    assert result.stderr.splitlines() == [
        f"path to state folder: /state/{paths.host()}",
        "hstatus: scheduler slow did not answer in 2 s",
    ]
    assert result.exit_code == 1


def test_a_named_scheduler_must_run(run: Run) -> None:
    result = run("hstatus", "--name", "stopped", "--name", "lab")
    assert result.exit_code == 1
    assert "bad state or not running" in result.stderr
    assert "lab" in result.stdout


def test_json_lists_those_that_answer(run: Run) -> None:
    found = json.loads(run("hstatus", "--json").stdout)
    assert [one["name"] for one in found] == ["lab"]
    assert found[0]["resources"][0]["total"] == 6


def test_no_scheduler_at_all_is_no_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "names", list)
    result = run("hstatus")
    assert (result.stdout, result.exit_code) == ("no schedulers found\n", 0)
