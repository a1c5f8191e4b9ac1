"""Where everything of a timeline stands: pure, in pixels from the top left.

Each slot of a numbered resource is a row; memory, and what has more slots than anybody
reads, is one area, how much of it was held.  What would be too small to see is merged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo

from hsched.timeline.axis import Scale, Tick, ticks, window
from hsched.timeline.levels import Level, held_level, waiting_level
from hsched.timeline.pieces import Merged, Piece, Row, row_pieces
from hsched.timeline.schedule import Meter, Period, Schedule, Stay
from hsched.timeline.waits import Wait, wait_lanes
from hsched.timeline.words import Speaker

#: Of a resource with more slots than this, how much was held is drawn, not each slot.
MOST_ROWS = 128

#: Memory has no slots that a reader would tell apart, however it is counted.
AMOUNTS = frozenset({"mem"})

#: With more rectangles than this nobody could read them, and browsers become slow.
MOST_PIECES = 4000

_FINENESS = (2.0, 4.0, 8.0, 16.0, 32.0)
_LEFT, _RIGHT, _TOP, _BOTTOM, _GAP, _HEADING = 76, 24, 62, 64, 16, 18
_LEVEL_HEIGHT, _LANE_HEIGHT = 72, 12


@dataclass(frozen=True)
class Options:
    """``last`` seconds at most are shown, ``width`` pixels wide, in the time of ``zone``."""

    last: float
    zone: tzinfo
    width: int = 1200
    most_rows: int = MOST_ROWS


@dataclass
class Group:
    """The rows of one resource, below its name."""

    name: str
    top: float
    height: float
    rows: list[Row]


@dataclass
class Timeline:
    """A whole picture."""

    title: str
    width: int
    height: float
    left: float
    right: float
    top: float
    bottom: float
    groups: list[Group] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    merged: list[Merged] = field(default_factory=list)
    levels: list[Level] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    waits_top: float = 0.0
    ticks: list[Tick] = field(default_factory=list)
    #: Where the scheduler did not run: from, to.
    off: list[tuple[float, float]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def lay_out(schedule: Schedule, options: Options) -> Timeline:
    """Return where everything stands; there may be no job."""
    begin, end = window(schedule, options.last)
    scale = Scale(begin, end, _LEFT, options.width - _RIGHT)
    speaker = Speaker(schedule, scale, options.zone)
    seen = [stay for stay in schedule.stays if _is_seen(stay, scale, schedule.now)]
    picture = Timeline(speaker.title(seen), options.width, 0, _LEFT, scale.right, _TOP, 0)
    top: float = _TOP
    rowed, levelled = _kinds(schedule.meters, seen, options.most_rows)
    height = _row_height(sum(meter.total for meter in rowed))
    fineness = _add_rows(picture, rowed, seen, (scale, speaker, height))
    top = max((g.top + g.height for g in picture.groups), default=top - _GAP) + _GAP
    for meter in levelled:
        level = held_level(meter, seen, scale, (top + _HEADING, _LEVEL_HEIGHT), schedule.now)
        picture.levels.append(level)
        top = level.bottom + _GAP
    top = _add_waits(picture, seen, scale, (top, speaker))
    picture.bottom = top - _GAP
    picture.height = picture.bottom + _BOTTOM
    picture.ticks = ticks(scale, options.zone)
    picture.off = list(_off(schedule.periods, scale))
    picture.notes = list(speaker.notes(seen, schedule.meters, fineness if picture.merged else 0.0))
    return picture


def _is_seen(stay: Stay, scale: Scale, now: float) -> bool:
    ended = now if stay.ended is None else stay.ended
    return stay.submitted <= scale.end and ended >= scale.begin


def _kinds(
    meters: Iterable[Meter], stays: Sequence[Stay], most_rows: int
) -> tuple[list[Meter], list[Meter]]:
    """Return the resources that are drawn slot by slot, and those that are drawn as one area."""
    rowed: list[Meter] = []
    levelled: list[Meter] = []
    for meter in meters:
        # Jobs that ran elsewhere hold an amount and no slot of ours.
        placed = any(stay.slots.get(meter.name) for stay in stays)
        amounts = any(stay.amounts.get(meter.name) for stay in stays)
        slots = meter.numbered and meter.name not in AMOUNTS and meter.total <= most_rows
        (rowed if slots and (placed or not amounts) else levelled).append(meter)
    return rowed, levelled


def _row_height(rows: int) -> float:
    return 22.0 if rows <= 16 else 14.0 if rows <= 48 else 8.0


def _add_rows(
    picture: Timeline,
    meters: Sequence[Meter],
    stays: Sequence[Stay],
    how: tuple[Scale, Speaker, float],
) -> float:
    """Add rows and pieces, and return how wide what was not merged is, in pixels."""
    scale, speaker, height = how
    for fineness in _FINENESS:
        top: float = _TOP
        groups: list[Group] = []
        pieces: list[Piece] = []
        merged: list[Merged] = []
        for meter in meters:
            found = row_pieces(meter, stays, scale, (top + _HEADING, height, fineness), speaker)
            rows = found.rows
            low = rows[-1].top + rows[-1].height
            groups.append(Group(meter.name, top + _HEADING, low - top - _HEADING, rows))
            pieces += found.pieces
            merged += found.merged
            top = low + _GAP
        if len(pieces) <= MOST_PIECES:
            break
    picture.groups, picture.pieces, picture.merged = groups, pieces, merged
    return fineness


def _add_waits(
    picture: Timeline, stays: Sequence[Stay], scale: Scale, where: tuple[float, Speaker]
) -> float:
    """Add who waited, one by one or how many, and return where the next may stand."""
    top, speaker = where
    picture.waits_top = top + _HEADING
    waits = wait_lanes(stays, scale, (picture.waits_top, _LANE_HEIGHT), speaker)
    if waits is None:
        level = waiting_level(stays, scale, (picture.waits_top, _LEVEL_HEIGHT), speaker.now)
        picture.levels.append(level)
        picture.waits_top = 0.0
        return level.bottom + _GAP
    picture.waits = waits
    if not waits:
        picture.waits_top = 0.0
        return top
    return max(wait.top for wait in waits) + _LANE_HEIGHT + _GAP


def _off(periods: Sequence[Period], scale: Scale) -> Iterator[tuple[float, float]]:
    """Yield where no run was, from the first run on."""
    before: float | None = None
    for period in sorted(periods, key=lambda period: period.started):
        if before is not None and period.started > before:
            left, right = scale.clipped(before, period.started)
            if right > left:
                yield left, right
        ended = scale.end if period.ended is None else period.ended
        before = ended if before is None else max(before, ended)
