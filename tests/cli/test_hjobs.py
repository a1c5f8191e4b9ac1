"""hjobs: which jobs are asked for, and what is said when there is none."""

from __future__ import annotations

import json

import pytest

from hsched.cli import hjobs
from hsched.cli.fields.jobs import COLUMNS
from hsched.errors import NoSuchJob
from hsched.wire.jobs import Held
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
    monkeypatch.setattr(hjobs, "for_people", lambda: True)
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


@pytest.mark.parametrize("how", [(), ("--json",), ("--why",), ("-o", "id")])
def test_any_listing_can_be_sorted(run: Run, client: type[FakeClient], how: tuple[str]) -> None:
    client.answers["jobs"] = [job(id="7", priority=1), job(id="8", priority=3), job(id="9")]
    shown = run("hjobs", "--sort", "-priority", *how).stdout
    positions = [shown.index(f'"id": "{n}"' if "--json" in how else f"\n{n}") for n in (8, 7, 9)]
    assert positions == sorted(positions)


def test_ids_are_sorted_as_numbers_and_what_is_unknown_comes_last(
    run: Run, client: type[FakeClient]
) -> None:
    client.answers["jobs"] = [job(id="10.2"), job(id="9", name="b"), job(id="10.11", name="a")]
    by_id = run("hjobs", "-o", "id", "--sort", "id").stdout.split()
    assert by_id == ["ID", "9", "10.2", "10.11"]
    assert run("hjobs", "-o", "id", "--sort", "-name").stdout.split()[1:] == ["9", "10.11", "10.2"]


def test_chosen_columns_are_words_that_awk_can_part(run: Run, client: type[FakeClient]) -> None:
    held = {"cores": Held(amount=2, slots=(0, 3)), "mem": Held(amount=8 << 30)}
    client.answers["jobs"] = [job(allocation=held, wall_s=1.5, reason="two words")]
    result = run("hjobs", "-o", "command,held,wall,cpu,reason")
    header, line = result.stdout.splitlines()
    assert header.split() == ["COMMAND", "HELD", "WALL", "CPU", "REASON"]
    words = [r"train\x20--epochs\x2010", "cores:0,3;mem:8G", "1.50", "-", "two words"]
    assert line.split(None, 4) == words


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("-o id,wat", "`wat` is no field; there are id, state, "),
        ("--sort wat", "`wat` is no field; there are id, state, "),
        ("-o id --json", "give either -o or --json, not both"),
        ("--watch --json", "--watch draws a table"),
        ("--watch", "--watch needs a terminal, and stdout is none; `hwait` waits"),
    ],
)
def test_what_cannot_be_shown_is_refused(run: Run, typed: str, said: str) -> None:
    result = run("hjobs", *typed.split())
    assert (result.stdout, result.exit_code) == ("", 2)
    assert said in result.stderr


def test_every_field_is_there_for_a_job_of_which_nothing_is_known() -> None:
    for name in COLUMNS.names:
        (cell,) = COLUMNS.cells(job(), [name])
        assert cell
        assert COLUMNS.in_order([job(), job()], COLUMNS.parse_order(f"-{name}"))


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [
        ({}, False),
        ({"CLICOLOR_FORCE": "0"}, False),
        ({"CLICOLOR_FORCE": "1"}, True),
        ({"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, False),
        ({"FORCE_COLOR": "1"}, False),  # which is set wherever a CI is, for other programs
    ],
)
def test_a_pipe_is_coloured_only_where_that_is_demanded(
    run: Run,
    client: type[FakeClient],
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    coloured: bool,
) -> None:
    for name in ("NO_COLOR", "CLICOLOR_FORCE", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    client.answers["jobs"] = [job()]
    plain = run("hjobs").stdout
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    shown = run("hjobs").stdout
    assert ("\x1b[36mrunning" in shown) == coloured
    assert (shown == plain) != coloured
