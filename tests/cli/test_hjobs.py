"""hjobs: which jobs are asked for, and what is said when there is none."""

from __future__ import annotations

import json

import pytest

from hsched.cli import hjobs
from hsched.errors import NoSuchJob
from tests.cli.conftest import FakeClient, Run, job

LIVE = ("starting", "running", "stopping")


@pytest.mark.parametrize(
    ("typed", "words", "query"),
    [
        ("", (), {}),
        ("running", (), {"states": LIVE}),
        ("pending", (), {"states": ("pending",)}),
        ("done", (), {"scope": "done"}),
        ("failed --last 3", (), {"scope": "failed", "last": 3}),
        ("3 5-7 train", ("3", "5-7", "train"), {}),
        ("last --label x --job-name y", ("last", "name:y", "label:x"), {}),
        ("running 3", ("3",), {"states": LIVE}),
        ("--all 3", ("3",), {"scope": "all"}),
        ("--last 5", (), {"scope": "all", "last": 5}),
        ("--run 2026-11-21/03-06-00", (), {"scope": "all", "run": "2026-11-21/03-06-00"}),
        ("--state stopping", (), {"states": ("stopping",)}),
    ],
)
def test_words_become_one_query(
    run: Run, client: type[FakeClient], typed: str, words: tuple[str, ...], query: dict[str, object]
) -> None:
    run("hjobs", *typed.split())
    plain = {"scope": "live", "states": (), "run": None, "last": None}
    assert client.calls[1:] == [("jobs", words, {**plain, **query})]


def test_jobs_are_listed_below_a_header(run: Run, client: type[FakeClient]) -> None:
    client.answers["jobs"] = [job(), job(id="8")]
    result = run("hjobs")
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["ID", "7", "8"]
    assert result.exit_code == 0


def test_nothing_to_list_is_no_error(run: Run) -> None:
    result = run("hjobs")
    assert (result.stdout, result.exit_code) == ("no jobs found\n", 0)


def test_a_job_that_is_not_live_is_an_error(run: Run, client: type[FakeClient]) -> None:
    client.answers["jobs"] = NoSuchJob("no such job found: 3")
    result = run("hjobs", "3")
    assert (result.stdout, result.exit_code) == ("", 1)
    assert result.stderr == "hjobs: no such job found: 3\n"


def test_json_is_always_a_list(run: Run, client: type[FakeClient]) -> None:
    assert json.loads(run("hjobs", "--json").stdout) == []
    client.answers["jobs"] = [job()]
    assert [one["id"] for one in json.loads(run("hjobs", "--json").stdout)] == ["7"]


def test_stray_bytes_come_out_readable(run: Run, client: type[FakeClient]) -> None:
    client.answers["jobs"] = [job(name="n\udcff", command=("a\udcff", "é"))]
    last = run("hjobs").stdout_bytes.splitlines()[-1]
    assert last.endswith("n\\xff      $'a\\xff' é".encode())


def test_a_terminal_gets_a_table(
    run: Run, client: type[FakeClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hjobs, "on_terminal", lambda: True)
    client.answers["jobs"] = [job(reason="slots: needs 2 gpus, 1 free", name="[bold]x")]
    monkeypatch.setenv("COLUMNS", "200")
    shown = run("hjobs").stdout
    assert "slots: needs 2 gpus, 1 free" in shown
    assert "[bold]x" in shown


def test_why_shows_reasons_and_expected_starts(run: Run, client: type[FakeClient]) -> None:
    waits = job(state="pending", reason="held", expected_start_at="2026-11-21T03:06:01+00:00")
    client.answers["jobs"] = [waits, job(id="8", suspended=True)]
    header, first, second = run("hjobs", "--why").stdout.splitlines()
    assert header.split() == ["ID", "STATE", "EXPECTED", "REASON"]
    assert first.split() == ["7", "pending", "2026-11-21T04:06:01+01:00", "held"]
    assert second.split() == ["8", "suspended", "-", "-"]
