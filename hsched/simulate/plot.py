"""A schedule as a picture: slots against time, and below it how many jobs wait.

Few jobs are drawn one by one, each on the very slots that it holds.  Of many, none could
be seen: then the height is how much was held, on average over a column of the picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import pairwise

from hsched.core.model import Resource
from hsched.core.spec import format_amount
from hsched.simulate.engine import Placement
from hsched.simulate.metrics import makespan_s

#: With more jobs than this they are not drawn one by one.
MOST_BARS = 500

_LEFT, _RIGHT, _TOP, _GAP, _BOTTOM = 70, 20, 46, 34, 48
_WIDTH = 1000
_INNER = _WIDTH - _LEFT - _RIGHT
_WAITING_HEIGHT = 90
#: What the panels of all resources share in height.
_SLOTS_HEIGHT = 420

#: Neighbours differ in hue and in lightness, so they can be told apart without colour too.
_HUES = ("#4878a8", "#e0a458", "#5f9e6e", "#b55d60", "#857aab", "#8d7866", "#d98cb3", "#7fb7c4")

_UNITS = ((86400, "days"), (3600, "hours"), (60, "minutes"), (1, "seconds"))
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200)
_MOST_TICKS = 10

_STYLE = (
    "text{font:12px sans-serif;fill:#333}.title{font-size:14px}.end{text-anchor:end}"
    ".mid{text-anchor:middle}.grid{stroke:#ddd}.frame{fill:none;stroke:#888}"
    ".held{fill:#4878a8}.waiting{fill:#e0a458}.bar{stroke:#fff;stroke-width:.6}"
    ".label{font-size:10px;fill:#fff;text-anchor:middle}"
)


def draw(placements: Sequence[Placement], resources: Sequence[Resource], title: str) -> str:
    """Return an SVG document of a schedule, which is not empty."""
    span_s = max(makespan_s(placements), 1.0)
    shown = [(i, resource) for i, resource in enumerate(resources) if resource.capacity]
    height = max(120, (_SLOTS_HEIGHT - _GAP * (len(shown) - 1)) // max(1, len(shown)))
    parts = [f'<text class="title" x="{_LEFT}" y="20">{escape(title)}</text>']
    top = _TOP
    for index, resource in shown:
        parts += _resource_panel(_Panel(top, height, span_s), placements, index, resource)
        top += height + _GAP
    parts += _waiting_panel(_Panel(top, _WAITING_HEIGHT, span_s), placements)
    bottom = top + _WAITING_HEIGHT
    parts += _time_axis(span_s, bottom)
    whole = bottom + _BOTTOM
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {whole}" '
        f'width="{_WIDTH}" height="{whole}">\n<style>{_STYLE}</style>\n'
        '<rect width="100%" height="100%" fill="#fff"/>\n'
    )
    return head + "\n".join(parts) + "\n</svg>\n"


def averages(changes: Iterable[tuple[float, float]], edges: Sequence[float]) -> Iterator[float]:
    """Yield the mean, between each two neighbours of ``edges``, of a level that is 0 at first.

    ``changes`` are moments, none before the first edge, and by how much the level changes.
    """
    coming = sorted(changes, reverse=True)
    level = 0.0
    for left, right in pairwise(edges):
        at, area = left, 0.0
        while coming and coming[-1][0] < right:
            moment, change = coming.pop()
            area += level * (moment - at)
            at, level = moment, level + change
        yield (area + level * (right - at)) / (right - left)


class _Panel:
    """A rectangle of the picture, and how seconds and a level become places in it."""

    def __init__(self, top: int, height: int, span_s: float) -> None:
        self.top = top
        self.height = height
        self._scale = _INNER / span_s
        self.edges = [span_s * column / _INNER for column in range(_INNER + 1)]

    @property
    def bottom(self) -> int:
        return self.top + self.height

    def x(self, at_s: float) -> float:
        return _LEFT + at_s * self._scale

    def frame(self, label: str, most: str) -> list[str]:
        return [
            f'<rect class="frame" x="{_LEFT}" y="{self.top}" width="{_INNER}" '
            f'height="{self.height}"/>',
            f'<text class="end" x="{_LEFT - 6}" y="{self.top + 10}">{escape(most)}</text>',
            f'<text class="end" x="{_LEFT - 6}" y="{self.bottom}">0</text>',
            f'<text x="{_LEFT}" y="{self.top - 5}">{escape(label)}</text>',
        ]

    def area(self, kind: str, levels: Sequence[float], most: float) -> str:
        """Return a filled outline of one level a column; equal neighbours are one step."""
        path = [f"M{_LEFT} {self.bottom}"]
        before = 0.0
        for column, level in enumerate(levels):
            if level != before:
                path.append(f"H{_LEFT + column}V{self.bottom - self.height * level / most:.1f}")
                before = level
        path.append(f"H{_LEFT + len(levels)}V{self.bottom}Z")
        return f'<path class="{kind}" d="{"".join(path)}"/>'


def _resource_panel(
    panel: _Panel, placements: Sequence[Placement], index: int, resource: Resource
) -> Iterator[str]:
    if resource.numbered and len(placements) <= MOST_BARS:
        label = f"{resource.name}: a bar is a job on its slots"
        for number, placement in enumerate(placements):
            yield from _bars(panel, placement, placement.allocation.slots[index], resource, number)
    else:
        label = f"{resource.name} held, on average"
        changes = [
            change
            for p in placements
            for change in (
                (p.start_s, float(p.job.amounts[index])),
                (p.end_s, -float(p.job.amounts[index])),
            )
        ]
        yield panel.area("held", list(averages(changes, panel.edges)), resource.capacity)
    yield from panel.frame(label, format_amount(resource))


def _bars(
    panel: _Panel,
    placement: Placement,
    slots: Sequence[int],
    resource: Resource,
    number: int,
) -> Iterator[str]:
    unit = panel.height / resource.capacity
    left, right = panel.x(placement.start_s), panel.x(placement.end_s)
    label = escape(placement.job.label, quote=True)
    for first, count in _stretches(slots):
        width, height = max(right - left, 0.5), count * unit
        top = panel.bottom - (first + count) * unit
        yield (
            f'<rect class="bar" fill="{_HUES[number % len(_HUES)]}" x="{left:.1f}" y="{top:.1f}" '
            f'width="{width:.1f}" height="{height:.1f}"><title>job {label}: '
            f"{placement.start_s:g} s to {placement.end_s:g} s</title></rect>"
        )
        if width > 7 * len(placement.job.label) + 4 and height > 11:
            x, y = left + width / 2, top + height / 2 + 3.5
            yield f'<text class="label" x="{x:.1f}" y="{y:.1f}">{label}</text>'


def _stretches(slots: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield neighbouring slots together: the first and how many."""
    first = count = 0
    for slot in slots:
        if count and slot == first + count:
            count += 1
            continue
        if count:
            yield first, count
        first, count = slot, 1
    if count:
        yield first, count


def _waiting_panel(panel: _Panel, placements: Sequence[Placement]) -> Iterator[str]:
    changes = [
        change
        for p in placements
        if p.start_s > p.job.submit_s
        for change in ((p.job.submit_s, 1.0), (p.start_s, -1.0))
    ]
    levels = list(averages(changes, panel.edges))
    most = max(1.0, *levels)
    yield panel.area("waiting", levels, most)
    yield from panel.frame("jobs that wait", f"{most:.0f}")


def _time_axis(span_s: float, bottom: int) -> Iterator[str]:
    step = next((s for s in _STEPS if span_s / s <= _MOST_TICKS), 0)
    if not step:
        days = span_s / 86400 / _MOST_TICKS
        power = 10 ** max(0, len(str(int(days))) - 1)
        step = next(m * power for m in (1, 2, 5, 10) if m * power >= days) * 86400
    unit, name = next((u, n) for u, n in _UNITS if step % u == 0)
    tick = 0
    while tick <= span_s:
        x = _LEFT + tick / span_s * _INNER
        yield f'<path class="grid" d="M{x:.1f} {bottom}v6"/>'
        yield f'<text class="mid" x="{x:.1f}" y="{bottom + 19}">{tick // unit}</text>'
        tick += step
    middle = _LEFT + _INNER / 2
    yield (
        f'<text class="mid" x="{middle}" y="{bottom + 38}">{name} since the first submission</text>'
    )
