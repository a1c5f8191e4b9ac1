"""What repeated measurements come to: median, worst, percentiles, ratios."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import NamedTuple


class Figures(NamedTuple):
    """Measurements of one thing, in one unit; ``more_is_better`` for rates."""

    values: tuple[float, ...]
    more_is_better: bool = False

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.values)

    @property
    def worst(self) -> float:
        """The one that its user would like least."""
        return min(self.values) if self.more_is_better else max(self.values)

    def percentile(self, percent: float) -> float:
        """Return the least value that so many percent of the others do not exceed."""
        ranked = sorted(self.values)
        position = -(-len(ranked) * percent // 100)  # rounded up
        return ranked[max(0, int(position) - 1)]

    def times(self, other: Figures) -> float:
        """Return how many times the other's median this one's is."""
        return self.median / other.median if other.median else float("inf")


def number(value: float) -> str:
    """Return a figure with three digits that mean something, thousands parted by commas.

    >>> number(1234.5), number(12.345), number(0.01234), number(0)
    ('1,234', '12.3', '0.0123', '0')
    """
    if not value:
        return "0"
    if abs(value) >= 99.95:
        return f"{value:,.0f}"
    digits = 2
    scaled = abs(value)
    while scaled < 1 and digits < 6:
        scaled *= 10
        digits += 1
    return f"{value:.{digits - 1 if scaled >= 10 else digits}f}"


def joined(rounds: Sequence[Sequence[float]], more_is_better: bool = False) -> Figures:
    """Return the figures of several rounds as one."""
    return Figures(tuple(value for one in rounds for value in one), more_is_better)
