"""hstatus: the schedulers that run, and what is wrong with those that do not."""

from __future__ import annotations

import json

import pytest

from hsched import paths
from hsched.cli.fields.schedulers import COLUMNS
from hsched.errors import NoAnswer, NotRunning
from hsched.wire.slots import ResourceView
from hsched.wire.status import StatusReply
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


def test_columns_are_chosen_and_unknown_where_it_does_not_answer(run: Run) -> None:
    result = run("hstatus", "-o", "name,state,pid,drained,pending", "--sort", "-pending")
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["NAME", "STATE", "PID", "DRAINED", "PENDING"],
        ["lab", "running", "1", "-", "2"],
        ["slow", "not-answering", "-", "-", "-"],
    ]


def test_rows_are_sorted_as_numbers_and_what_is_unknown_comes_last(
    run: Run, client: type[FakeClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "names", lambda: ["a", "b", "slow"])
    client.answers["status"] |= {"a": status("a", pending=10), "b": status("b", pending=9)}

    def names(*words: str) -> list[str]:
        return [line.split()[0] for line in run("hstatus", *words).stdout.splitlines()[1:]]

    assert names("--sort", "pending") == ["b", "a", "slow"]
    assert names("--sort", "-pending") == ["a", "b", "slow"]
    listed = json.loads(run("hstatus", "--json", "--sort", "pending").stdout)
    assert [one["name"] for one in listed] == ["b", "a"]


def test_every_field_has_a_word_in_a_pipe(run: Run, client: type[FakeClient]) -> None:
    reply = status("my lab")
    cores = ResourceView(
        name="cores", numbered=True, unit=1, total=9, used=0, free=7, drained=(3, 5)
    )
    told = {**reply.as_dict(), "resources": (cores,), "stopping": True}
    client.answers["status"] = {"lab": StatusReply(**told)}
    fields = ",".join(COLUMNS.names)
    (line,) = run("hstatus", "-n", "lab", "-o", f"{fields},name").stdout.splitlines()[1:]
    words = line.split(None, len(COLUMNS.names))
    assert words[0] == r"my\x20lab"
    assert words[-1] == "my lab"
    assert {"9", "7", "stopping", "cores:3,5", "local", "/state", reply.run} < set(words)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("-o name,wat", "`wat` is no field; there are name, total, "),
        ("--sort wat", "`wat` is no field; there are name, total, "),
        ("-o name --json", "give either -o or --json, not both"),
        ("--watch --json", "--watch draws a table; give it without --json"),
        ("--watch", "--watch needs a terminal, and stdout is none; `hstatus --json` lists"),
    ],
)
def test_what_cannot_be_shown_is_refused(run: Run, typed: str, said: str) -> None:
    result = run("hstatus", *typed.split())
    assert (result.stdout, result.exit_code) == ("", 2)
    assert said in result.stderr
