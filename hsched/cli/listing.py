"""What the commands that list have in common: which columns, in which order, once or for ever."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from hsched.cli.common import for_people, on_terminal, option, put, reads
from hsched.errors import WrongUsage

if TYPE_CHECKING:
    from hsched.cli.fields.columns import Columns, Order

Row = TypeVar("Row")
F = TypeVar("F", bound=Callable[..., Any])


class Look(NamedTuple):
    """How rows are shown: as ``json`` or otherwise, in chosen ``fields``, or as ever (empty).

    ``order`` sorts them; where ``is_watched`` they are shown again whenever they change.
    """

    how: str
    fields: tuple[str, ...]
    order: Order | None
    is_watched: bool


def listing_options(rows: str, fields: str, field: str) -> Callable[[F], F]:
    """Add ``-o``, ``--sort`` and ``--watch`` to a command that lists ``rows``.

    ``fields`` and ``field`` are what the help names as examples.
    """

    def add(function: F) -> F:
        for decorate in (
            option(
                "-w",
                "--watch",
                "is_watched",
                is_flag=True,
                help="On a terminal: draw the table again whenever something changes, "
                "until Ctrl-C.",
            ),
            option(
                "--sort",
                "order",
                metavar="FIELD",
                callback=reads(_reader(rows, "parse_order")),
                help=f"Sort by a field, such as {field}; -{field} has the largest first.",
            ),
            option(
                "-o",
                "--fields",
                metavar="FIELDS",
                callback=reads(_reader(rows, "parse")),
                help=f"Print these columns, such as {fields}; see FIELDS in the man page.",
            ),
        ):
            function = decorate(function)
        return function

    return add


def take_look(asked: dict[str, Any], instead: str, others: Sequence[str] = ()) -> Look:
    """Take what says how to show rows out of ``asked``.

    ``others`` are further ways to show them besides ``--json`` and ``-o``; ``instead`` says
    what to do where there is no terminal to watch on.

    Raises:
        WrongUsage: it says two things, or wants a terminal and there is none.
    """
    ways = {"json": asked.pop("as_json"), **{way: asked.pop(way) for way in others}}
    given = [way for way, value in ways.items() if value]
    fields, order, is_watched = (asked.pop(name) for name in ("fields", "order", "is_watched"))
    if fields and given:
        raise WrongUsage(f"give either -o or --{given[0]}, not both")
    if is_watched and given:
        without = " and ".join(f"--{way}" for way in ways)
        raise WrongUsage(f"--watch draws a table; give it without {without}")
    if is_watched and not on_terminal():
        raise WrongUsage(f"--watch needs a terminal, and stdout is none; {instead}")
    return Look((given or [""])[0], fields or (), order, is_watched)


def show(columns: Columns[Row], rows: Sequence[Row], fields: Sequence[str], nothing: str) -> None:
    """Print rows as a table for people or as lines for scripts, and ``nothing`` where none is."""
    if not rows:
        put([nothing])
    elif for_people():
        from hsched.cli.table import show_rows  # slow to import, and for people only

        show_rows(columns, rows, fields)
    else:
        put(columns.lines(rows, fields))


def _reader(rows: str, how: str) -> Callable[[str], Any]:
    """Return what reads the value of an option as the columns of ``rows`` do."""

    def read(text: str) -> Any:
        from hsched.cli.fields import columns_of  # only where columns are chosen

        return getattr(columns_of(rows), how)(text)

    return read
