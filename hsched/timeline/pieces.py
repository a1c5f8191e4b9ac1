"""Slots as rows and jobs as rectangles on them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from hsched.timeline.axis import Scale
from hsched.timeline.schedule import Meter, Stay
from hsched.timeline.words import Speaker

#: So many jobs that share a slot are drawn one above the other; the others are merged.
MOST_LANES = 12

#: What is merged is told of by stretches of this many pixels.
_STRETCH_PX = 48


@dataclass(frozen=True)
class Row:
    """A slot; ``label`` is empty where rows are too many for all to have one."""

    label: str
    top: float
    height: float
    drained: bool


@dataclass(frozen=True)
class Piece:
    """A job on neighbouring slots; ``colour`` is 0 to 7."""

    job: str
    x: float
    y: float
    width: float
    height: float
    colour: int
    label: str
    tip: str
    live: bool
    failed: bool
    suspended: bool


@dataclass(frozen=True)
class Merged:
    """Jobs too short to be seen: ``heights`` are shares of a row, each ``step`` pixels wide."""

    x: float
    y: float
    height: float
    step: float
    heights: tuple[float, ...]
    tip: str


@dataclass(frozen=True)
class Drawn:
    """What one resource looks like."""

    rows: list[Row]
    pieces: list[Piece]
    merged: list[Merged]


@dataclass(frozen=True)
class _Bar:
    """A job on one slot, where time has become pixels."""

    stay: Stay
    left: float
    right: float


def row_pieces(
    meter: Meter,
    stays: Iterable[Stay],
    scale: Scale,
    where: tuple[float, float, float],
    speaker: Speaker,
) -> Drawn:
    """Return the rows of a resource and what stands on them.

    ``where`` is the top of the first, the height of each, and the width in pixels below
    which jobs are merged.
    """
    top, height, fineness = where
    drawn = Drawn([], [], [])
    bars = _bars(meter, stays, scale, speaker.now)
    #: Of the jobs on the slot above, where their pieces stand in the list.
    above: dict[tuple[str, str], int] = {}
    for slot in range(meter.total):
        lanes, small = _lanes(bars.get(slot, ()), fineness)
        tall = height if len(lanes) < 2 else max(height, len(lanes) * 9.0)
        drawn.rows.append(Row(_label(slot, height), top, tall, slot in meter.drained))
        drawn.merged.extend(_merged(small, (top, tall, fineness), scale, speaker))
        here: dict[tuple[str, str], int] = {}
        for number, lane in enumerate(lanes):
            place = (top + number * tall / len(lanes), tall / len(lanes))
            for bar in lane:
                key = (bar.stay.run, bar.stay.job)
                index = above.get(key) if len(lanes) == 1 else None
                if index is None:
                    index = len(drawn.pieces)
                    drawn.pieces.append(_piece(bar, place, speaker))
                else:
                    drawn.pieces[index] = _taller(drawn.pieces[index], tall)
                here[key] = index
        above = here if len(lanes) == 1 else {}
        top += tall
    return drawn


def _bars(meter: Meter, stays: Iterable[Stay], scale: Scale, now: float) -> dict[int, list[_Bar]]:
    bars: dict[int, list[_Bar]] = defaultdict(list)
    for stay in stays:
        if stay.started is None:
            continue
        ended = now if stay.ended is None else stay.ended
        if ended < scale.begin:
            continue
        left, right = scale.clipped(stay.started, ended)
        for slot in stay.slots.get(meter.name, ()):
            bars[slot].append(_Bar(stay, left, right))
    return bars


def _lanes(bars: Sequence[_Bar], fineness: float) -> tuple[list[list[_Bar]], list[_Bar]]:
    """Return those that can be seen, so that in no lane two overlap, and those that cannot."""
    lanes: list[list[_Bar]] = []
    small: list[_Bar] = []
    for bar in sorted(bars, key=lambda bar: (bar.left, bar.right)):
        if bar.right - bar.left < fineness and not bar.stay.is_live:
            small.append(bar)
            continue
        # Clocks that are set back make jobs overlap a little that did not.
        lane = next((lane for lane in lanes if lane[-1].right <= bar.left + 0.01), None)
        if lane is not None:
            lane.append(bar)
        elif len(lanes) < MOST_LANES:
            lanes.append([bar])
        else:
            small.append(bar)
    return lanes, small


def _label(slot: int, height: float) -> str:
    every = 1 if height >= 12 else 2
    return "" if slot % every else str(slot)


def _piece(bar: _Bar, place: tuple[float, float], speaker: Speaker) -> Piece:
    y, height = place
    stay, width = bar.stay, max(1.0, bar.right - bar.left)
    return Piece(
        job=stay.job,
        x=bar.left,
        y=y,
        width=width,
        height=height,
        colour=speaker.colour(stay),
        label=speaker.label(stay, width) if height >= 8 else "",
        tip=speaker.tip(stay),
        live=stay.is_live,
        failed=stay.has_failed,
        suspended=stay.suspended,
    )


def _taller(piece: Piece, more: float) -> Piece:
    changed = {**piece.__dict__, "height": piece.height + more}
    return Piece(**changed)


def _merged(
    small: Sequence[_Bar], where: tuple[float, float, float], scale: Scale, speaker: Speaker
) -> Iterator[Merged]:
    """Yield what is too small to be seen, as the share of each column that was held."""
    y, height, step = where
    held: dict[int, float] = defaultdict(float)
    begun: dict[int, list[Stay]] = defaultdict(list)
    for bar in small:
        first = int((bar.left - scale.left) // step)
        begun[first].append(bar.stay)
        for column in range(first, int((bar.right - scale.left) // step) + 1):
            left = scale.left + column * step
            held[column] += max(0.0, min(bar.right, left + step) - max(bar.left, left)) / step
    for columns in _stretches(sorted(held), round(_STRETCH_PX / step)):
        x = scale.left + columns[0] * step
        shares = tuple(min(1.0, held[column]) for column in columns)
        stays = [stay for column in columns for stay in begun.get(column, ())]
        until = min(x + len(columns) * step, scale.right)
        tip = speaker.merged(stays, (x, until), sum(shares) / len(shares))
        yield Merged(x, y, height, step, shares, tip)


def _stretches(columns: Iterable[int], most: int) -> Iterator[list[int]]:
    """Yield neighbouring columns together, ``most`` at once."""
    stretch: list[int] = []
    for column in columns:
        if stretch and (column != stretch[-1] + 1 or len(stretch) >= most):
            yield stretch
            stretch = []
        stretch.append(column)
    if stretch:
        yield stretch
