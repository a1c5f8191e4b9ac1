"""What a person sees on a terminal: tables with colour, fitted to the width."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeVar

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hsched.cli.fields.columns import Columns
from hsched.cli.fields.jobs import COLUMNS
from hsched.cli.render import JOB_HEADER, printable
from hsched.cli.styles import state_style
from hsched.cli.terminal import console as terminal
from hsched.cli.top.text import shortened, widest
from hsched.wire.jobs import JobView

Row = TypeVar("Row")

#: Colour of numbers and words that are more than nothing.
_COLUMNS = {"RUNNING": "cyan", "PENDING": "yellow", "CLAIMED": "cyan", "FREE": "green"}

#: What lacks its middle where the terminal is narrow; the rest identifies a job and is whole.
_FLEXIBLE = {"NAME", "COMMAND", "REASON", "WHO", "UUID", "LABELS", "DEPENDS", "HELD"}
_FLEXIBLE |= {"CWD", "OUT", "ERR", "FOLDER", "JOBS", "RUN"}
_TIMES = {"SUBMITTED", "STARTED", "ENDED", "EXPECTED"}
_LEAST, _WIDE, _GAP = 12, 100, 2

_NUMBERS = re.compile(r"[\d.]+[KMGT]?|[-?]")
_NAMES = {"ID", "GPU", "NAME", "SLOTS"}


def show_jobs(
    jobs: Iterable[JobView],
    console: Console | None = None,
    names: Sequence[str] = (),
    most: int | None = None,
) -> None:
    """Print jobs in the columns ``names``, or in the usual ones with the reason why they wait.

    With ``most`` there are so many lines at the most, and the last tells what is missing.
    """
    console = console or terminal()
    listed, missing = _fitting(list(jobs), most)
    chosen = tuple(names) or (*(title.lower() for title in JOB_HEADER), "reason")
    titles = COLUMNS.header(chosen)
    rows = [dict(zip(titles, COLUMNS.cells(job, chosen), strict=True)) for job in listed]
    for row in rows:
        row.update({title: _short(row[title]) for title in _TIMES & row.keys()})
    if not names:
        titles = tuple(title for title in titles if any(row[title] != "-" for row in rows))
    if not names and console.width < _WIDE:
        titles = tuple(title for title in titles if title != "SUBMITTED")
    _show(titles, [[row[title] for title in titles] for row in rows], console, missing)


def show_rows(
    columns: Columns[Row],
    rows: Sequence[Row],
    names: Sequence[str] = (),
    console: Console | None = None,
    most: int | None = None,
) -> None:
    """Print any rows in the columns ``names``, or in the usual ones; ``most`` as above."""
    shown, missing = _fitting(rows, most)
    cells = [list(columns.cells(row, names)) for row in shown]
    _show(columns.header(names), cells, console or terminal(), missing)


def _fitting(rows: Sequence[Row], most: int | None) -> tuple[Sequence[Row], int]:
    """Return the rows that ``most`` lines have room for, and how many others there are."""
    if most is None or len(rows) < most:
        return rows, 0
    shown = rows[: max(0, most - 2)]
    return shown, len(rows) - len(shown)


def _show(titles: Sequence[str], rows: list[list[str]], console: Console, missing: int) -> None:
    for row in rows:
        row[:] = map(printable, row)
    found = [[row[number] for row in rows] for number in range(len(titles))]
    widths = _widths(dict(enumerate(titles)), found, console.width)
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False)
    for title, column, width in zip(titles, found, widths, strict=True):
        table.add_column(title, no_wrap=True, width=width, justify=_side(title, column))
    for row in rows:
        cells = zip(titles, row, widths, strict=True)
        table.add_row(*(Text(shortened(c, w), _style(t, c)) for t, c, w in cells))
    console.print(table)
    if missing:
        console.print(Text(f"and {missing} more", "dim"))


def _widths(titles: Mapping[int, str], found: list[list[str]], width: int) -> list[int]:
    """Return the widths of the columns, so that they fit where they can."""
    wanted = [widest((titles[number], *column)) for number, column in enumerate(found)]
    flexible = [number for number in titles if titles[number] in _FLEXIBLE]
    for number in sorted(flexible, key=lambda one: -wanted[one]):
        too_much = sum(wanted) + _GAP * (len(wanted) - 1) - width
        if too_much > 0:
            wanted[number] = max(min(wanted[number], _LEAST), wanted[number] - too_much)
    return wanted


def _side(title: str, column: list[str]) -> Literal["left", "right"]:
    """Return where a column stands: numbers are compared at their right ends."""
    numbers = column and title not in _NAMES and all(_NUMBERS.fullmatch(one) for one in column)
    return "right" if numbers else "left"


def _style(title: str, cell: str) -> str:
    if title == "STATE":
        return state_style(cell)
    return "" if cell in ("0", "-", "?") else _COLUMNS.get(title, "")


def _short(stamp: str) -> str:
    """Return ``2026-11-21T03:06:00+01:00`` as ``11-21 03:06:00``."""
    return stamp[5:19].replace("T", " ") or "-"
