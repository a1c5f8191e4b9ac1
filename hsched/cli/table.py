"""What a person sees on a terminal: tables with colour, fitted to the width."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hsched.cli.render import JOB_HEADER, job_cells, printable
from hsched.wire.jobs import JobView

Row = dict[str, str]

#: Colour by the state; NO_COLOR is honoured by the console.
_STYLES = {
    "pending": "yellow",
    "starting": "cyan",
    "running": "cyan",
    "suspended": "magenta",
    "stopping": "magenta",
    "succeeded": "green",
    "cancelled": "dim",
}
_FAILED = "red"

#: What may be cut where the terminal is narrow; the rest identifies a job and is not.
_FLEXIBLE = ("NAME", "COMMAND", "REASON")
_LEAST = 12
_WIDE = 100
_GAP = 2


def show_jobs(jobs: Iterable[JobView], console: Console | None = None) -> None:
    """Print jobs, with the reason why they wait or how they failed."""
    console = console or Console()
    rows = [_row(job) for job in jobs]
    table = _table()
    for title, width in _widths(rows, console.width).items():
        table.add_column(title, no_wrap=True, width=width)
    for row in rows:
        style = _STYLES.get(row["STATE"], _FAILED)
        titles = (str(column.header) for column in table.columns)
        table.add_row(*(Text(row[t], style if t == "STATE" else "") for t in titles))
    console.print(table)


def show_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], console: Console | None = None
) -> None:
    """Print any rows under their header."""
    table = _table(*header)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    (console or Console()).print(table)


def _table(*header: str) -> Table:
    return Table(*header, box=None, padding=(0, _GAP, 0, 0), pad_edge=False)


def _row(job: JobView) -> Row:
    row = dict(zip(JOB_HEADER, job_cells(job), strict=True))
    row["SUBMITTED"], row["STARTED"] = _short(row["SUBMITTED"]), _short(row["STARTED"])
    return {**row, "REASON": printable(job.reason or "")}


def _widths(rows: Sequence[Row], width: int) -> dict[str, int]:
    """Return the columns to show and their widths, so that they fit where they can."""
    wanted = {
        title: max(len(title), *(cell_len(row[title]) for row in rows))
        for title in (*JOB_HEADER, "REASON")
        if any(row[title].strip("-") for row in rows)
    }
    if width < _WIDE:
        wanted.pop("SUBMITTED", None)
    for title in sorted(_FLEXIBLE, key=lambda one: -wanted.get(one, 0)):
        if title in wanted and (too_much := _overflow(wanted, width)) > 0:
            wanted[title] = max(min(wanted[title], _LEAST), wanted[title] - too_much)
    return wanted


def _overflow(widths: dict[str, int], width: int) -> int:
    return sum(widths.values()) + _GAP * len(widths) - width


def _short(stamp: str) -> str:
    """Return ``2026-11-21T03:06:00+01:00`` as ``11-21 03:06:00``."""
    return stamp[5:19].replace("T", " ") or "-"
