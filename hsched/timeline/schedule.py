"""What a timeline shows: resources, the stays of jobs on them, and the runs; all times in
seconds since the epoch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from hsched.wire.jobs import Held, JobView
from hsched.wire.runs import RunView
from hsched.wire.slots import ResourceView


@dataclass(frozen=True)
class Meter:
    """A resource: ``total`` slots, or units of ``unit`` bytes where it is not ``numbered``.

    ``drained`` are the slots that are out of use now; history does not keep since when.
    """

    name: str
    total: int
    numbered: bool = True
    unit: int = 1
    drained: tuple[int, ...] = ()


@dataclass(frozen=True)
class Stay:
    """A job: when it waited, and what it held from ``started`` to ``ended``.

    ``started`` is None for one that never ran, ``ended`` for one that is not done.  Of a
    job that was tried several times history keeps the last start.
    """

    job: str
    run: str
    submitted: float
    started: float | None = None
    ended: float | None = None
    name: str = ""
    command: str = ""
    outcome: str = ""
    attempt: int = 1
    suspended: bool = False
    #: By resource: indices of its slots, and how much of it.
    slots: dict[str, tuple[int, ...]] = field(default_factory=dict)
    amounts: dict[str, int] = field(default_factory=dict)

    @property
    def is_live(self) -> bool:
        """Whether it is not done."""
        return self.ended is None

    @property
    def has_failed(self) -> bool:
        """Whether it is done and did not succeed."""
        return not self.is_live and self.outcome != "succeeded"


@dataclass(frozen=True)
class Period:
    """A run of the scheduler; ``ended`` is None for the one that goes on."""

    name: str
    started: float
    ended: float | None = None


@dataclass(frozen=True)
class Schedule:
    """All that is known at ``now``, when the scheduler ran or not."""

    scheduler: str
    host: str
    meters: tuple[Meter, ...]
    stays: tuple[Stay, ...]
    periods: tuple[Period, ...]
    now: float


def stay_of(view: JobView) -> Stay | None:
    """Return a job as a timeline shows it, None where nothing about its times is known."""
    submitted = seconds(view.submitted_at)
    if submitted is None:
        return None
    slots, amounts = _held(view)
    return Stay(
        job=view.id,
        run=view.run,
        submitted=submitted,
        started=seconds(view.started_at),
        ended=seconds(view.ended_at),
        name=view.name or "",
        command=" ".join(view.command),
        outcome=_outcome(view),
        attempt=view.attempt,
        suspended=bool(view.suspended),
        slots=slots,
        amounts=amounts,
    )


def _held(view: JobView) -> tuple[dict[str, tuple[int, ...]], dict[str, int]]:
    slots, amounts = {}, {}
    for name, held in (view.allocation or {}).items():
        found = _slots(view, name, held)
        if held.amount or found:
            amounts[name] = max(held.amount, len(found))
        if found:
            slots[name] = found
    return slots, amounts


def _slots(view: JobView, name: str, held: Held) -> tuple[int, ...]:
    """Return the slots that a job is on; GPUs that it shares are no slots of its own."""
    if held.slots or name != "gpus":
        return held.slots or ()
    return view.devices or ()


def _outcome(view: JobView) -> str:
    if view.outcome is None:
        return ""
    if view.outcome == "succeeded":
        return view.outcome
    number = view.exit_status if view.signal is None else view.signal
    return view.outcome if number is None else f"{view.outcome} ({number})"


def meters_of(
    runs: Iterable[RunView], stays: Iterable[Stay], now: Iterable[ResourceView] = ()
) -> tuple[Meter, ...]:
    """Return the resources of ``runs``, by name, as large as they ever were.

    What ``now`` says comes first; slots that a job held and that no run tells of count.
    """
    found: dict[str, Meter] = {}
    for one in now:
        found[one.name] = Meter(one.name, one.total, one.numbered, one.unit, one.drained)
    for run in reversed(list(runs)):
        for past in run.resources:
            meter = Meter(past.name, past.total, past.numbered, past.unit)
            found[past.name] = _larger(found.get(past.name, meter), past.total)
    for stay in stays:
        for name, slots in stay.slots.items():
            most = max(slots) + 1
            found[name] = _larger(found.get(name, Meter(name, most)), most)
    return tuple(meter for meter in found.values() if meter.total)


def _larger(meter: Meter, total: int) -> Meter:
    if total <= meter.total:
        return meter
    return Meter(meter.name, total, meter.numbered, meter.unit, meter.drained)


def seconds(stamp: str | None) -> float | None:
    """Return what an ISO 8601 stamp means, in seconds since the epoch."""
    if stamp is None:
        return None
    return datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()
