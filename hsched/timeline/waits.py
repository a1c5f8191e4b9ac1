"""Who waited: from submission to start, one bar a job, unless there are too many."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hsched.timeline.axis import Scale
from hsched.timeline.levels import waited_until
from hsched.timeline.schedule import Stay
from hsched.timeline.words import Speaker

#: More bars, or more of them above each other, are not drawn one by one.
MOST_WAITS, MOST_LANES = 80, 12

#: A wait that is shorter is none that a person would notice.
_LEAST_PX = 1.0


@dataclass(frozen=True)
class Wait:
    """A job that waited; ``goes_on`` where it still does."""

    job: str
    x: float
    top: float
    width: float
    height: float
    colour: int
    label: str
    tip: str
    goes_on: bool
    tried: bool


def wait_lanes(
    stays: Iterable[Stay], scale: Scale, where: tuple[float, float], speaker: Speaker
) -> list[Wait] | None:
    """Return the waits, so that none covers another; None where they are too many."""
    top, height = where
    found: list[Wait] = []
    ends: list[float] = []
    for stay in sorted(stays, key=lambda stay: stay.submitted):
        left, right = scale.clipped(stay.submitted, waited_until(stay, speaker.now))
        if right - left < _LEAST_PX:
            continue
        lane = next((n for n, end in enumerate(ends) if end < left), len(ends))
        if len(found) >= MOST_WAITS or lane >= MOST_LANES:
            return None
        ends[lane : lane + 1] = [right]
        found.append(
            Wait(
                job=stay.job,
                x=left,
                top=top + lane * height,
                width=right - left,
                height=height - 2,
                colour=speaker.colour(stay),
                label=speaker.label(stay, right - left),
                tip=speaker.tip(stay),
                goes_on=stay.started is None and stay.is_live,
                tried=stay.attempt > 1,
            )
        )
    return found
