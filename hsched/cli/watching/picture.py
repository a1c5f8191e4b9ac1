"""A table as a text to be drawn on a screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from rich.text import Text

from hsched.cli.fields.columns import Columns
from hsched.cli.render import printable
from hsched.cli.styles import FAILED
from hsched.cli.table import show_rows
from hsched.cli.terminal import console

Row = TypeVar("Row")


def picture(
    columns: Columns[Row],
    rows: Sequence[Row],
    names: Sequence[str],
    lines: int,
    troubles: Sequence[str] = (),
) -> str:
    """Return a table in so many lines, and what is the matter below it; empty for neither."""
    screen = console()
    with screen.capture() as below:
        for trouble in troubles:
            screen.print(Text(printable(trouble), FAILED))
    with screen.capture() as table:
        if rows:
            show_rows(columns, rows, names, screen, most=lines - below.get().count("\n"))
    return table.get() + below.get()
