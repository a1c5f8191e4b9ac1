"""The columns of one kind of row, as ``-o`` and ``--sort`` name them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from hsched.cli.render import columns, word
from hsched.errors import WrongUsage

Row = TypeVar("Row")


class Field(Generic[Row]):
    """A column: what stands in it, and what it is sorted by.

    An empty cell, and None as the key, mean that nothing is known.  Without a key it is
    sorted by what is shown.
    """

    __slots__ = ("key", "shown")

    def __init__(
        self, shown: Callable[[Row], str], key: Callable[[Row], Any] | None = None
    ) -> None:
        self.shown = shown
        self.key: Callable[[Row], Any] = key or (lambda row: shown(row) or None)


def known(get: Callable[[Row], Any], show: Callable[[Any], str] = str) -> Field[Row]:
    """Return the field of a value that is None where it is not known, sorted as it is."""

    def shown(row: Row) -> str:
        value = get(row)
        return "" if value is None else show(value)

    return Field(shown, get)


class Order(NamedTuple):
    """By which field rows are sorted, and whether the largest comes first."""

    field: str
    descending: bool


class Columns(Generic[Row]):
    """All fields that a kind of row has; ``usual`` are those shown where none was chosen.

    The usual ones have fixed least ``widths`` in a pipe.  A ``remark`` on a row stands in
    place of the last of them, where it is not empty.
    """

    def __init__(
        self,
        fields: dict[str, Field[Row]],
        usual: Sequence[str] = (),
        widths: Sequence[int] = (),
        remark: Callable[[Row], str] = lambda row: "",
    ) -> None:
        self._fields = fields
        self._usual, self._widths, self._remark = tuple(usual), widths, remark

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all fields."""
        return tuple(self._fields)

    def parse(self, text: str) -> tuple[str, ...]:
        """Return the fields that ``id,name,command`` names.

        Raises:
            WrongUsage: one is not known.
        """
        names = tuple(name.strip().lower() for name in text.split(","))
        for name in names:
            if name not in self._fields:
                raise WrongUsage(f"`{name}` is no field; there are {', '.join(self._fields)}")
        return names

    def parse_order(self, text: str) -> Order:
        """Return the order that ``started`` or ``-started`` names.

        Raises:
            WrongUsage: there is no such field.
        """
        (name,) = self.parse(text.removeprefix("-").replace(",", " "))
        return Order(name, text.startswith("-"))

    def in_order(self, rows: Iterable[Row], order: Order | None) -> list[Row]:
        """Return the rows sorted; those about which the field says nothing come last."""
        if order is None:
            return list(rows)
        key = self._fields[order.field].key
        keyed = [(key(row), row) for row in rows]
        known = [pair for pair in keyed if pair[0] is not None]
        known.sort(key=lambda pair: pair[0], reverse=order.descending)
        return [row for _, row in known] + [row for value, row in keyed if value is None]

    def header(self, names: Sequence[str] = ()) -> tuple[str, ...]:
        """Return the titles of the fields ``names``, or of the usual ones."""
        return tuple(name.upper() for name in names or self._usual)

    def cells(self, row: Row, names: Sequence[str] = ()) -> tuple[str, ...]:
        """Return what stands in each column, ``-`` where nothing is known."""
        found = tuple(self._fields[name].shown(row) or "-" for name in names or self._usual)
        remark = "" if names else self._remark(row)
        return (*found[:-1], remark) if remark else found

    def lines(self, rows: Iterable[Row], names: Sequence[str] = ()) -> Iterator[str]:
        """Yield a header and a line for each row; every column but the last is one word."""
        table = [self.header(names)]
        for row in rows:
            *firsts, last = self.cells(row, names)
            table.append((*map(word, firsts), last))
        widths = [max(map(len, column)) for column in zip(*table, strict=True)][:-1]
        return columns(table, widths if names else self._widths)
