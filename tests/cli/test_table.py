"""Tables for people: they fit the terminal, and nothing in them is markup."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from hsched.cli import table
from hsched.cli.fields.columns import Columns, Field
from tests.cli.conftest import job


def drawn(width: int, colour: bool = False) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=colour)
    jobs = [
        job(name="[red]x", command=("train", "--epochs", "10" * 60)),
        job(id="8", state="done", outcome="failed", exit_status=2, reason="line\nbreak"),
    ]
    table.show_jobs(jobs, console)
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 120, 300])
def test_a_table_fits_the_terminal_and_cuts_commands_only(width: int) -> None:
    lines = [line.rstrip() for line in drawn(width).splitlines()]
    assert max(len(line) for line in lines) <= width
    assert any(line.startswith("8   failed(2)  2,1,8G  ") for line in lines)
    assert all("11-21 04:06:01" in line for line in lines if line[:1].isdigit()) == (width > 80)


def test_long_commands_lack_their_middle_and_keep_their_end() -> None:
    out = io.StringIO()
    long = job(command=("train", "x" * 200, "--out=model"))
    table.show_jobs([long], Console(file=out, width=80))
    line = out.getvalue().splitlines()[1].rstrip()
    assert "train x" in line
    assert line.endswith("x --out=model")
    assert "…" in line
    assert len(line) <= 80


def test_chosen_columns_are_all_shown_in_their_order() -> None:
    out = io.StringIO()
    table.show_jobs([job()], Console(file=out, width=40), names=("exit", "id", "submitted"))
    header, line = out.getvalue().splitlines()
    assert header.split() == ["EXIT", "ID", "SUBMITTED"]
    assert line.split() == ["-", "7", "11-21", "04:06:01"]


def test_what_a_screen_cannot_hold_is_counted() -> None:
    out = io.StringIO()
    jobs = [job(id=str(number)) for number in range(20)]
    table.show_jobs(jobs, Console(file=out, width=80), most=10)
    lines = out.getvalue().splitlines()
    assert len(lines) == 10
    assert lines[-1].strip() == "and 12 more"


def test_numbers_stand_below_each_other_at_their_right_ends() -> None:
    out = io.StringIO()
    cells: dict[str, Field[tuple[str, ...]]] = {
        "name": Field(lambda row: row[0]),
        "jobs": Field(lambda row: row[1]),
        "used": Field(lambda row: row[2]),
    }
    rows = [("a", "8", "7"), ("b", "120", "?")]
    columns = Columns(cells, usual=("name", "jobs", "used"))
    table.show_rows(columns, rows, console=Console(file=out, width=80))
    assert [line.rstrip() for line in out.getvalue().splitlines()] == [
        "NAME  JOBS  USED",
        "a        8     7",
        "b      120     ?",
    ]


def test_markup_and_line_breaks_in_names_are_shown_as_they_are() -> None:
    shown = drawn(300)
    assert "[red]x" in shown
    assert r"line\nbreak" in shown


def test_columns_without_content_are_left_out() -> None:
    out = io.StringIO()
    table.show_jobs([job()], Console(file=out, width=200))
    header = out.getvalue().split("\n")[0].split()
    assert header == ["ID", "STATE", "SLOTS", "SUBMITTED", "COMMAND"]


def test_colour_is_left_out_where_it_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[31m" in drawn(200, colour=True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[31m" not in drawn(200, colour=True)
