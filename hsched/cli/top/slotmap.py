"""The slots as a map: who holds which.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from hsched.cli.top.board import Row
from hsched.cli.top.text import Line, Span, padded, size, widest

if TYPE_CHECKING:
    from hsched.wire.slots import ResourceView

#: The colours of jobs that stand side by side.
COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "red")
DRAINED = "x"

_BAR = 20


class Glyphs:
    """The characters that a terminal may not have."""

    def __init__(self, unicode: bool = True) -> None:
        self.free, self.more = ("·", "…") if unicode else (".", "...")
        self.full, self.empty = ("█", "░") if unicode else ("#", "-")
        self.up_down = "↑↓" if unicode else "up/down"
        self.sign = "▶" if unicode else ">"


def colour(identity: str) -> str:
    """Return the colour of a job, the same wherever it is shown."""
    number, _, index = identity.partition(".")
    return COLOURS[(int(number) + int(index or 0)) % len(COLOURS)]


def slot_lines(
    resources: Sequence[ResourceView],
    running: Iterable[Row],
    selected: str | None,
    space: tuple[int, int],
    glyphs: Glyphs,
) -> list[Line]:
    """Return the map in ``space``, a width and a height that it does not exceed.

    A slot shows the job that holds it, and where several share a GPU all of them.
    """
    width, height = space
    holders = _holders(running)
    label = widest([resource.name for resource in resources])
    each = max(1, height // max(1, len(resources)))
    lines: list[Line] = []
    for resource in resources:
        start = (padded(resource.name, label) + "  ", "bold")
        if resource.numbered:
            cells = _cells(resource, holders.get(resource.name, {}), glyphs)
            body = _numbered(cells, selected, (width - label - 2, each), glyphs)
        else:
            body = [_measured(resource, glyphs)]
        rest = (" " * (label + 2), "")
        lines += [((start, rest)[number > 0], *line) for number, line in enumerate(body)]
    return lines[:height]


def _holders(running: Iterable[Row]) -> dict[str, dict[int, list[str]]]:
    """Return who holds each slot, by resource."""
    found: dict[str, dict[int, list[str]]] = {}
    for row in running:
        for name, held in row.held.items():
            slots = {*(held.slots or ()), *(row.devices if name == "gpus" else ())}
            for slot in slots:
                found.setdefault(name, {}).setdefault(slot, []).append(row.id)
    return found


def _cells(resource: ResourceView, holders: dict[int, list[str]], glyphs: Glyphs) -> list[str]:
    """Return what stands for each slot; one above the total is held from before it shrank."""
    count = max([resource.total - 1, *holders]) + 1
    drained = set(resource.drained)

    def _cell(slot: int) -> str:
        if slot in holders:
            return "+".join(holders[slot])
        return DRAINED if slot in drained else glyphs.free

    return [_cell(slot) for slot in range(count)]


def _numbered(
    cells: Sequence[str], selected: str | None, space: tuple[int, int], glyphs: Glyphs
) -> list[Line]:
    """Return one cell a slot where that fits, else one a span of slots with the same holder."""
    width, height = space
    wide = widest(cells)
    per_line = max(1, (width + 1) // (wide + 1))
    if -(-len(cells) // per_line) <= height:
        spans = [_styled(padded(cell, wide), cell, selected, glyphs) for cell in cells]
        return [_spaced(part) for part in _parts(spans, per_line)] or [()]
    return _runs(cells, selected, space, glyphs)


def _runs(
    cells: Sequence[str], selected: str | None, space: tuple[int, int], glyphs: Glyphs
) -> list[Line]:
    width, height = space
    lines: list[list[Span]] = [[]]
    used = 0
    for first, last, cell in _spans(cells):
        text = f"{first}:{cell}" if first == last else f"{first}-{last}:{cell}"
        if used and used + 1 + len(text) > width - len(glyphs.more) * (len(lines) == height):
            if len(lines) == height:
                lines[-1].append((glyphs.more, "dim"))
                break
            lines.append([])
            used = 0
        used += len(text) + bool(used)
        lines[-1].append(_styled(text, cell, selected, glyphs))
    return [_spaced(spans) for spans in lines]


def _spans(cells: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    for cell, group in groupby(range(len(cells)), key=cells.__getitem__):
        slots = list(group)
        yield slots[0], slots[-1], cell


def _styled(text: str, cell: str, selected: str | None, glyphs: Glyphs) -> Span:
    if cell in (glyphs.free, DRAINED):
        return text, "dim"
    ids = cell.split("+")
    return text, f"{colour(ids[0])}{' reverse' if selected in ids else ''}"


def _spaced(spans: Sequence[Span]) -> Line:
    return tuple(one for span in spans for one in (span, (" ", "")))[:-1]


def _parts(spans: Sequence[Span], count: int) -> Iterator[Sequence[Span]]:
    for start in range(0, len(spans), count):
        yield spans[start : start + count]


def _measured(resource: ResourceView, glyphs: Glyphs) -> Line:
    share = min(1.0, resource.used / resource.total) if resource.total else 0.0
    full = round(share * _BAR)
    told = f" {size(resource.used)} of {size(resource.total)}"
    return ((glyphs.full * full, "cyan"), (glyphs.empty * (_BAR - full), "dim"), (told, ""))
