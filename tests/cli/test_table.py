"""Tables for people: they fit the terminal, and nothing in them is markup."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from hsched.cli import table
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
