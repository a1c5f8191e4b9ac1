"""Time across a picture: which of it is shown, and where hours and days are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

from hsched.timeline.schedule import Schedule

_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200)
_DAY = 86400
_NEAREST_PX = 84


@dataclass(frozen=True)
class Scale:
    """Seconds since the epoch, ``begin`` to ``end``, as pixels, ``left`` to ``right``."""

    begin: float
    end: float
    left: float
    right: float

    @property
    def second(self) -> float:
        """Pixels of a second."""
        return (self.right - self.left) / (self.end - self.begin)

    def x(self, at: float) -> float:
        """Return where a moment is."""
        return self.left + (at - self.begin) * self.second

    def at(self, x: float) -> float:
        """Return which moment is at ``x``."""
        return self.begin + (x - self.left) / self.second

    def clipped(self, begin: float, end: float) -> tuple[float, float]:
        """Return where a stretch of time begins and ends, as far as it is shown."""
        return (
            min(self.right, max(self.left, self.x(begin))),
            max(self.left, min(self.right, self.x(end))),
        )


@dataclass(frozen=True)
class Tick:
    """A mark below; ``is_day`` where a day begins."""

    x: float
    label: str
    is_day: bool


def window(schedule: Schedule, last: float) -> tuple[float, float]:
    """Return the moments between which something is to be seen, ``last`` seconds at most.

    It ends now where the scheduler runs, and where it was stopped, with its last job.
    """
    ends = [schedule.now if stay.ended is None else stay.ended for stay in schedule.stays]
    if any(period.ended is None for period in schedule.periods) or not ends:
        ends = [schedule.now]
    end = max(ends)
    begins = [stay.submitted for stay in schedule.stays]
    begin = max([schedule.now - last, *(begins and [min(begins)])])
    begin = min(begin, end - 1.0)
    edge = (end - begin) * 0.01
    return max(begin - edge, schedule.now - last) if begins else begin, end + edge


def ticks(scale: Scale, zone: tzinfo) -> list[Tick]:
    """Return marks at round times of the day in ``zone``, none too near to the next."""
    least = _NEAREST_PX / scale.second
    step = next((step for step in _STEPS if step >= least), 0)
    if not step:
        step = _DAY * next(n for n in (1, 2, 5, 10, 30, 90, 365, 10**6) if n * _DAY >= least)
    found, at = [], _first(scale.begin, step, zone)
    while at <= scale.end:
        moment = datetime.fromtimestamp(at, zone)
        is_day = step >= _DAY or (moment.hour, moment.minute, moment.second) == (0, 0, 0)
        shape = "%Y-%m-%d" if is_day else "%H:%M:%S" if step < 60 else "%H:%M"
        if at >= scale.begin:
            found.append(Tick(scale.x(at), moment.strftime(shape), is_day))
        at += step
    return found


def _first(begin: float, step: int, zone: tzinfo) -> float:
    """Return a round time not long before ``begin``; round is counted from local midnight."""
    moment = datetime.fromtimestamp(begin, zone)
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    return midnight + (begin - midnight) // step * step
