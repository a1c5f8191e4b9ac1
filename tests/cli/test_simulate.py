"""hsched simulate: what is printed, and what is wrong with the words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hsched.cli import simulate
from hsched.errors import NotRunning
from tests.cli.conftest import FakeClient, job
from tests.simulate.kit import line

# The jobs A to D of tests/simulate/test_engine.py, and one that is larger than the machine.
TRACE = (
    "; four processors\n"
    + line(1, 0, 10, 3)
    + line(2, 1, 10, 4)
    + line(3, 2, 5, 1)
    + line(4, 3, 20, 1)
    + line(5, 3, 20, 5)
)
KEYS = [
    "policy",
    "jobs",
    "utilisation",
    "makespan",
    "mean_wait",
    "p95_wait",
    "mean_bounded_slowdown",
]


@pytest.fixture
def trace(tmp_path: Path) -> str:
    path = tmp_path / "trace.swf"
    path.write_text(TRACE)
    return str(path)


def invoke(*words: str) -> Result:
    result = CliRunner().invoke(simulate.command, words)
    assert result.exception is None or isinstance(result.exception, SystemExit), result
    return result


def test_json_has_these_keys_in_this_order(trace: str) -> None:
    result = invoke(trace, "--slots", "4", "--json")
    found = json.loads(result.stdout)
    assert list(found) == KEYS
    assert (found["policy"], found["jobs"], found["mean_wait"]) == ("backfill", 4, 6.5)
    assert result.stderr == "left out: 1 larger than the machine\n"


def test_the_table_says_the_same(trace: str) -> None:
    result = invoke(trace, "--slots", "4", "--policy", "fifo")
    assert result.stdout.splitlines() == [
        "policy                 fifo",
        "jobs                   4",
        "utilisation            59.4%",
        "makespan               40.0 s         0:00:40",
        "mean wait              11.0 s         0:00:11",
        "p95 wait               18.0 s         0:00:18",
        "mean bounded slowdown  1.76",
    ]


def test_arrivals_can_be_drawn_together(trace: str) -> None:
    # All four at 0, in order: A 0-10, C 0-5 past B, which has 10-20, D 20-40.
    found = json.loads(invoke(trace, "--slots", "4", "--arrival-scale", "0", "--json").stdout)
    assert found["mean_wait"] == (0 + 10 + 0 + 20) / 4


def test_a_picture_is_written(trace: str, tmp_path: Path) -> None:
    path = tmp_path / "out.svg"
    assert invoke(trace, "--slots", "4", "--plot", str(path)).exit_code == 0
    assert path.read_text().startswith("<svg ")


def test_history_can_be_asked_for_another_machine(
    client: type[FakeClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hsched.client.Client", client)
    times = {"started_at": "2026-11-21T03:06:01+00:00", "ended_at": "2026-11-21T03:07:01+00:00"}
    client.answers["jobs"] = [job(state="done", id=name, **times) for name in "12"]
    words = ("--from-history", "-n", "lab", "--run", "2026-11-21/03-06-00")
    result = invoke(*words, "--slots", "cores=4,gpus=1,mem=64G")
    assert result.exit_code == 0, result.stderr
    assert client.calls == [
        ("open", ("lab",), {}),
        ("jobs", (), {"scope": "done", "run": "2026-11-21/03-06-00"}),
    ]
    assert "utilisation            100.0%         cores 50.0%, gpus 100.0%, mem 12.5%" in (
        result.stdout.splitlines()
    )


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["TRACE"], 2, "Missing option '--slots'"),
        (["--slots", "4"], 2, "give either a TRACE or --from-history"),
        (["TRACE", "--from-history", "--slots", "4"], 2, "give either a TRACE or --from-history"),
        (["TRACE", "-n", "lab", "--slots", "4"], 2, "go with --from-history"),
        (["TRACE", "--slots", "four"], 2, "`four` is no whole number"),
        (["TRACE", "--slots", "4,2"], 2, "--slots takes one number"),
        (["TRACE", "--slots", "0"], 1, "no job to simulate; left out: 5 larger than the machine"),
        (["TRACE", "--slots", "4", "--overtake", "-1"], 2, "'--overtake'"),
        (["TRACE", "--slots", "4", "--arrival-scale", "-1"], 2, "--arrival-scale"),
        (["TRACE", "--slots", "4", "--arrival-scale", "nan"], 2, "--arrival-scale"),
        (["TRACE", "--slots", "4", "--plot", "/nowhere/x.svg"], 1, "/nowhere/x.svg: No such file"),
        (["/nowhere/x.swf", "--slots", "4"], 1, "/nowhere/x.swf: No such file"),
        (["/dev/null", "--slots", "4"], 1, "/dev/null: there is no job in it"),
        ([__file__, "--slots", "4"], 1, "line 1: a job in Standard Workload Format"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    trace: str, words: list[str], status: int, message: str
) -> None:
    result = invoke(*(trace if word == "TRACE" else word for word in words))
    assert (result.exit_code, result.stdout) == (status, "")
    assert result.stderr.startswith("hsched simulate: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_scheduler_that_never_ran_has_no_history(
    client: type[FakeClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hsched.client.Client", client)
    client.answers["jobs"] = NotRunning("never ran")
    result = invoke("--from-history", "--slots", "4")
    assert (result.exit_code, result.stderr) == (1, "hsched simulate: never ran\n")
