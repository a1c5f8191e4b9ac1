"""A chart of cost against size: the horizontal axis in powers of ten, the vertical one from 0."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from math import ceil, floor, log10

#: Sizes and costs of one line.
Points = Sequence[tuple[int, float]]

_LEFT, _RIGHT, _TOP, _BOTTOM, _WIDTH, _HEIGHT = 60, 150, 40, 50, 720, 380
_HUES = ("#4878a8", "#e0a458", "#b55d60", "#5f9e6e", "#857aab")


def chart(title: str, lines: Mapping[str, Points]) -> str:
    """Return an SVG with a line for each label; sizes are 1 or more."""
    axes = _Axes([point for points in lines.values() for point in points])
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="{_LEFT}" y="22" font-size="14">{escape(title)}</text>',
        f'<path d="M{_LEFT} {_TOP}V{axes.y(0):.0f}H{_WIDTH - _RIGHT}" fill="none" stroke="#888"/>',
        *axes.ticks(),
    ]
    for number, (label, points) in enumerate(lines.items()):
        hue = _HUES[number % len(_HUES)]
        places = [(axes.x(size), axes.y(cost)) for size, cost in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{hue}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{hue}"/>' for x, y in places]
        left, top = _WIDTH - _RIGHT + 16, _TOP + 10 + 20 * number
        parts.append(f'<rect x="{left}" y="{top - 8}" width="10" height="10" fill="{hue}"/>')
        parts.append(f'<text x="{left + 16}" y="{top + 1}">{escape(label)}</text>')
    return "\n".join(parts) + "\n</svg>\n"


class _Axes:
    """How sizes and costs become places in the picture."""

    def __init__(self, points: Points) -> None:
        powers = [log10(size) for size, _ in points]
        self._first = floor(min(powers))
        self._last = max(ceil(max(powers)), self._first + 1)
        self._most = max(*(cost for _, cost in points), 1e-9) * 1.15

    def x(self, size: int) -> float:
        share = (log10(size) - self._first) / (self._last - self._first)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def y(self, cost: float) -> float:
        return _HEIGHT - _BOTTOM - cost / self._most * (_HEIGHT - _TOP - _BOTTOM)

    def ticks(self) -> Iterator[str]:
        """Yield the lines and the numbers of both axes."""
        step = _step(self._most)
        for count in range(int(self._most / step) + 1):
            y = self.y(count * step)
            if count:
                yield f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#e4e4e4"/>'
            label = f"{count * step:g}"
            yield f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
        for power in range(self._first, self._last + 1):
            x = self.x(10**power)
            yield f'<text x="{x:.1f}" y="{_HEIGHT - 28}" text-anchor="middle">{10**power:,}</text>'


def _step(most: float) -> float:
    """Return the distance of ticks: 1, 2 or 5 times a power of ten, so that there are few."""
    unit = 10.0 ** floor(log10(most / 6))
    return next(unit * factor for factor in (1, 2, 5, 10) if most / (unit * factor) <= 6)
