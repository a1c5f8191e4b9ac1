"""How much was held, or how many waited: one level for each column of the picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hsched.core.model import Resource
from hsched.core.spec import format_amount
from hsched.simulate.plot import averages
from hsched.timeline.axis import Scale
from hsched.timeline.schedule import Meter, Stay


@dataclass(frozen=True)
class Level:
    """An area: ``heights`` are shares of ``height``, one for each pixel from ``left`` on."""

    kind: str
    label: str
    most: str
    tip: str
    left: float
    top: float
    height: float
    heights: tuple[float, ...]

    @property
    def bottom(self) -> float:
        """Where nothing is."""
        return self.top + self.height


def held_level(
    meter: Meter, stays: Iterable[Stay], scale: Scale, where: tuple[float, float], now: float
) -> Level:
    """Return how much of a resource was held, on average over each column."""
    holds = [
        (stay.started, now if stay.ended is None else stay.ended, stay.amounts[meter.name])
        for stay in stays
        if stay.started is not None and stay.amounts.get(meter.name)
    ]
    levels = _levels(holds, scale)
    name = Resource(meter.name, meter.total, meter.numbered, meter.unit)
    total = format_amount(name)
    peak = max(levels, default=0.0) / meter.total
    mean = sum(levels) / max(1, len(levels)) / meter.total
    label = f"{meter.name}: how much of {total} was held"
    tip = f"{label}: {mean:.0%} on average, {peak:.0%} at most"
    heights = tuple(min(1.0, level / meter.total) for level in levels)
    return Level("held", label, total, tip, scale.left, *where, heights)


def waiting_level(
    stays: Iterable[Stay], scale: Scale, where: tuple[float, float], now: float
) -> Level:
    """Return how many jobs waited, on average over each column."""
    waits = [(stay.submitted, until, 1) for stay in stays if (until := waited_until(stay, now))]
    levels = _levels(waits, scale)
    most = max([1.0, *levels])
    tip = f"jobs that wait: {most:.0f} at most"
    heights = tuple(level / most for level in levels)
    return Level("waiting", "jobs that wait", f"{most:.0f}", tip, scale.left, *where, heights)


def waited_until(stay: Stay, now: float) -> float:
    """Return when a job ceased to wait."""
    if stay.started is not None:
        return stay.started
    return now if stay.ended is None else stay.ended


def _levels(stretches: Sequence[tuple[float, float, int]], scale: Scale) -> list[float]:
    columns = round(scale.right - scale.left)
    edges = [scale.at(scale.left + column) for column in range(columns + 1)]
    changes = [
        change
        for begin, end, amount in stretches
        if end > begin
        for change in ((max(begin, scale.begin), float(amount)), (end, -float(amount)))
        if end > scale.begin
    ]
    return [max(0.0, level) for level in averages(changes, edges)]
