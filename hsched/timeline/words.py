"""What a timeline says in words: labels, tips, notes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo

from hsched.core.model import Resource
from hsched.core.spec import format_amount
from hsched.timeline.axis import Scale
from hsched.timeline.schedule import Meter, Schedule, Stay

COLOURS = 8

#: How wide a character of a label is, in pixels, with something to spare.
_CHARACTER_PX = 6.4
_LONGEST_COMMAND = 200


class Speaker:
    """Puts the jobs of one schedule into words."""

    def __init__(self, schedule: Schedule, scale: Scale, zone: tzinfo) -> None:
        self._schedule = schedule
        self._scale = scale
        self._zone = zone
        self._units = {m.name: m for m in schedule.meters}
        self._colours: dict[str, int] = {}
        self.now = schedule.now

    def colour(self, stay: Stay) -> int:
        """Return a colour: jobs of one name have the same, and else each the next."""
        key = stay.name or f"{stay.run} {stay.job.partition('.')[0]}"
        return self._colours.setdefault(key, len(self._colours) % COLOURS)

    def label(self, stay: Stay, width: float) -> str:
        """Return as much of what a job is called as fits: its id and name, its id, nothing."""
        mark = "\u2717 " if stay.has_failed else ""
        after = " \u2016" if stay.suspended else ""
        fits = int((width - 6) // _CHARACTER_PX)
        called = f"{mark}{stay.job} {stay.name}".rstrip() + after
        if stay.name and len(called) > fits:
            room = fits - len(f"{mark}{stay.job} {after}") - 1
            called = (
                f"{mark}{stay.job}" + (f" {stay.name[:room]}\u2026" if room > 2 else "") + after
            )
        return called if len(called) <= fits else ""

    def tip(self, stay: Stay) -> str:
        """Return all there is to say of a job, in lines."""
        head = f"job {stay.job}" + (f" {stay.name}" if stay.name else "")
        lines = [head, _shortened(stay.command, _LONGEST_COMMAND), *self._held(stay)]
        ended = self.now if stay.ended is None else stay.ended
        started = ended if stay.started is None else stay.started
        wait = f"submitted {self._clock(stay.submitted)}, waited {length(started - stay.submitted)}"
        lines.append(wait + (" so far" if stay.started is None and stay.is_live else ""))
        if stay.started is not None:
            until = "and still runs" if stay.is_live else f"to {self._clock(ended)}"
            lines.append(f"ran {self._clock(started)} {until}, {length(ended - started)}")
        if stay.attempt > 1:
            lines.append(f"attempt {stay.attempt}; those before it count as waiting here")
        lines.append("suspended" if stay.suspended else stay.outcome)
        return "\n".join(filter(None, lines))

    def merged(self, stays: Sequence[Stay], where: tuple[float, float], share: float) -> str:
        """Return what to say of jobs that are drawn as one, and of the share of time they held."""
        begin, end = (self._clock(self._scale.at(x)) for x in where)
        failed = sum(stay.has_failed for stay in stays)
        jobs = "1 short job" if len(stays) == 1 else f"{len(stays):,} short jobs"
        if failed:
            jobs += f", of which {failed:,} did not succeed"
        return f"{jobs}\n{begin} to {end}; such jobs held the slot for {share:.0%} of that time"

    def title(self, stays: Sequence[Stay]) -> str:
        """Return one line about the whole."""
        begin, end = (self._moment(at) for at in (self._scale.begin, self._scale.end))
        if begin[:10] == end[:10]:
            end = end[11:]
        jobs = "1 job" if len(stays) == 1 else f"{len(stays):,} jobs"
        zone = datetime.fromtimestamp(self.now, self._zone).strftime("%Z")
        where = f"scheduler {self._schedule.scheduler} on {self._schedule.host}"
        return f"{where}: {jobs}, {begin} to {end} {zone}".rstrip()

    def notes(
        self, stays: Sequence[Stay], meters: Sequence[Meter], fineness: float
    ) -> Iterator[str]:
        """Yield what a reader has to know, about what was left out above all."""
        if not stays:
            yield "No job waited or ran in this time."
        if fineness:
            shortest = length(fineness / self._scale.second)
            yield (
                f"Grey: jobs that ran for less than {shortest} are merged; the height is the "
                "share of time that they held the slot."
            )
        if any(stay.attempt > 1 for stay in stays):
            yield "Dashed: tried again; history keeps only when the last attempt began."
        if any(meter.drained for meter in meters):
            yield "Struck out: drained now; history does not keep since when."

    def _held(self, stay: Stay) -> Iterator[str]:
        for name, amount in stay.amounts.items():
            slots = stay.slots.get(name)
            meter = self._units.get(name, Meter(name, 0))
            resource = Resource(name, meter.total, meter.numbered, meter.unit)
            if slots and name != "mem":
                yield f"{name} {ranges(slots)}"
            else:
                yield f"{name}: {format_amount(resource, amount)}"

    def _clock(self, at: float) -> str:
        """Return a time of the day, with the date where that is not the day of the end."""
        moment = datetime.fromtimestamp(at, self._zone)
        last = datetime.fromtimestamp(self._scale.end, self._zone)
        return moment.strftime("%H:%M:%S" if moment.date() == last.date() else "%Y-%m-%d %H:%M:%S")

    def _moment(self, at: float) -> str:
        return datetime.fromtimestamp(at, self._zone).strftime("%Y-%m-%d %H:%M:%S")


def ranges(slots: Sequence[int]) -> str:
    """Return slots as people write them: ``0-3,7``."""
    parts: list[list[int]] = []
    for slot in slots:
        if parts and slot == parts[-1][-1] + 1:
            parts[-1].append(slot)
        else:
            parts.append([slot])
    return ",".join(f"{p[0]}-{p[-1]}" if len(p) > 1 else str(p[0]) for p in parts)


def length(time_s: float) -> str:
    """Return a length of time, with two units at most: ``1 h 5 min``."""
    if time_s < 9.95:
        return f"{max(0.0, time_s):.2g} s"
    rest = round(time_s)
    found = []
    for unit, word in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, rest = divmod(rest, unit)
        if count:
            found.append(f"{count} {word}")
    return " ".join(found[:2])


def _shortened(text: str, most: int) -> str:
    """Return ``text`` without its middle where it is long; both of its ends tell most."""
    half = most // 2
    return text if len(text) <= most else f"{text[:half]} \u2026 {text[-half:]}"
