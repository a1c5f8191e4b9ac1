"""The scheduler: events in, effects out, nothing else.

Two promises.  A job changes state through :meth:`Scheduler.handle` and nowhere
else.  Nothing here touches a socket, process, file or clock: time comes in as an
argument, in seconds of one monotonic clock, and what should be done in the world
goes out as an effect for the broker to carry out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from hsched.core import admission, control, elsewhere, events, life, reasons, succession
from hsched.core.effects import Effect
from hsched.core.events import Event
from hsched.core.job import Job
from hsched.core.ledger import Ledger
from hsched.core.model import JobId, Resource, Sharing, job_number
from hsched.core.policy import Policy
from hsched.errors import IllegalTransition, WrongUsage

#: What each event does.  A handler checks the whole event before it changes anything.
HANDLERS: dict[type, Callable[[Ledger, Any], None]] = {
    events.Submitted: admission.submitted,
    events.Restored: admission.restored,
    events.Started: life.started,
    events.NotStarted: life.not_started,
    events.Ended: life.ended,
    events.TimePassed: life.time_passed,
    events.CancelAsked: control.cancel_asked,
    events.SignalAsked: control.signal_asked,
    events.HoldAsked: control.hold_asked,
    events.ReleaseAsked: control.release_asked,
    events.UpdateAsked: control.update_asked,
    events.SuspendAsked: control.suspend_asked,
    events.ResumeAsked: control.resume_asked,
    events.CapacitySet: control.capacity_set,
    events.SlotsDrained: control.slots_drained,
    events.StartsStopped: control.starts_stopped,
    events.DevicesSeen: control.devices_seen,
    events.StartedElsewhere: elsewhere.started_elsewhere,
    events.Requeued: elsewhere.requeued,
    events.GivenUp: elsewhere.given_up,
}


class Scheduler:
    """Who runs now.  Change it through :meth:`handle` only; read the rest."""

    def __init__(
        self,
        resources: Sequence[Resource],
        policy: Policy = Policy.BACKFILL,
        overtake: int = 10,
        sharing: Sharing | None = None,
        near: Mapping[int, tuple[int, ...]] | None = None,
        *,
        elsewhere: bool = False,
    ) -> None:
        """Make a scheduler without jobs.

        ``sharing`` are the devices that jobs can share; ``near`` has sets of slots that are
        near each other, a bit for each slot, by position of their resource.  ``elsewhere``
        means that another scheduler starts the jobs.

        Raises:
            WrongUsage: ``overtake`` is negative.
        """
        if overtake < 0:
            raise WrongUsage(f"a job cannot be overtaken {overtake} times")
        self._ledger = Ledger(resources, policy, overtake, sharing, near, elsewhere)
        self._forecast: dict[JobId, float] | None = None

    def handle(self, event: Event, now: float) -> list[Effect]:
        """Apply ``event`` and return what must now be done, in order.

        A ``now`` before that of the last event counts as that one.

        Raises:
            HschedError: the event is refused, makes no sense or is illegal; nothing
                has changed.
        """
        ledger = self._ledger
        handler = HANDLERS.get(type(event))
        if handler is None:
            raise IllegalTransition(f"{event!r} is no event")
        ledger.now = max(ledger.now, now)
        self._forecast = None
        handler(ledger, event)
        ledger.dispatch()
        effects, ledger.effects = ledger.effects, []
        return effects

    def next_deadline(self) -> float | None:
        """Return when :class:`~hsched.core.events.TimePassed` is due at the latest."""
        return self._ledger.deadlines.next()

    @property
    def policy(self) -> Policy:
        """The rule that picks which pending jobs start."""
        return self._ledger.chooser.policy

    @property
    def overtake(self) -> int:
        """How often a job can be overtaken before slots are collected for it."""
        return self._ledger.chooser.overtake

    @property
    def elsewhere(self) -> bool:
        """Whether another scheduler starts the jobs."""
        return self._ledger.elsewhere

    @property
    def starts_stopped(self) -> bool:
        """Whether nothing is started at present."""
        return self._ledger.is_stopped

    @property
    def resources(self) -> tuple[Resource, ...]:
        """The resources, with their capacities as of now."""
        return self._ledger.inventory.resources

    @property
    def capacity(self) -> tuple[int, ...]:
        """The totals, per resource."""
        return tuple(resource.capacity for resource in self.resources)

    @property
    def free(self) -> tuple[int, ...]:
        """What could go out now, per resource."""
        return self._ledger.inventory.free

    @property
    def held(self) -> tuple[int, ...]:
        """What belongs to jobs, per resource; more than the capacity if that was lowered."""
        return tuple(pool.held for pool in self._ledger.inventory.pools)

    @property
    def drained(self) -> tuple[tuple[int, ...], ...]:
        """Indices of the slots out of use, per resource, held or not."""
        return tuple(pool.drained for pool in self._ledger.inventory.pools)

    @property
    def sharing(self) -> Sharing | None:
        """The devices that jobs can share, None where there are none."""
        devices = self._ledger.inventory.devices
        return None if devices is None else Sharing(devices.memory, devices.position)

    @property
    def claimed(self) -> tuple[int, ...]:
        """Bytes of each device that jobs which share it claim."""
        devices = self._ledger.inventory.devices
        return () if devices is None else tuple(devices.claimed)

    @property
    def waits_for_outsiders(self) -> bool:
        """Whether some job only waits for what outsiders use of devices."""
        return self._ledger.chooser.waits_for_outsiders()

    def holders(self) -> Iterator[Job]:
        """Yield the jobs that hold slots, in order of their start; handle no event meanwhile."""
        return iter(self._ledger.holders.values())

    @property
    def pending_count(self) -> int:
        """How many jobs are pending."""
        return len(self._ledger.jobs) - self.running_count

    @property
    def running_count(self) -> int:
        """How many jobs hold slots: they start, run or stop."""
        return len(self._ledger.holders)

    def job(self, job_id: JobId) -> Job:
        """Return a live job; only the scheduler changes it.

        Raises:
            NoSuchJob: it is not live.
        """
        return self._ledger.get(job_id)

    def find(self, job_id: JobId) -> Job | None:
        """Return a live job, None where it is not live."""
        return self._ledger.jobs.get(job_id)

    @property
    def live_count(self) -> int:
        """How many jobs are not done."""
        return len(self._ledger.jobs)

    def live(self) -> Iterator[Job]:
        """Yield the live jobs in order of id; handle no event meanwhile."""
        return map(self._ledger.jobs.__getitem__, sorted(self._ledger.jobs))

    def members(self, array: JobId) -> list[Job]:
        """Return the live elements of an array, given its header id, in order of index."""
        found = self._ledger.arrays.get(job_number(array))
        return self._ledger.find(found.members) if found else []

    def has_members(self, array: JobId) -> bool:
        """Return whether an array, given its header id, has live elements."""
        return self._ledger.arrays.get(job_number(array)) is not None

    def next_in_line(self, most: int) -> list[JobId]:
        """Return which jobs start next, whichever holder that asks for the same ends first.

        At most so many, in the order in which they start; none where that cannot be told.
        True until an event comes that is no :class:`~hsched.core.events.Ended` with one of
        them as its successor.
        """
        return succession.next_in_line(self._ledger, most)

    def can_be_succeeded(self, job_id: JobId) -> bool:
        """Return whether a job leaves its slots to who is next in line, however it ends."""
        job = self.find(job_id)
        return job is not None and succession.can_be_succeeded(job)

    def reason(self, job_id: JobId, now: float, told: Callable[[float], str] | None = None) -> str:
        """Return why a job is pending at ``now``, with numbers; empty if it is not.

        ``told`` puts a moment on the scheduler's clock into words; without it none is told.

        Raises:
            NoSuchJob: it is not live.
        """
        return reasons.reason(self._ledger, self._ledger.get(job_id), now, told)

    def expected_start(self, job_id: JobId, now: float) -> float | None:
        """Return the moment at which a pending job starts if all go on to their limits.

        None where a limit is missing, or too many are ahead to tell.

        Raises:
            NoSuchJob: it is not live.
        """
        if self._forecast is None:
            self._forecast = reasons.forecast(self._ledger, now)
        return self._forecast.get(self._ledger.get(job_id).id)

    def check(self) -> None:
        """Assert all invariants; for tests, since it looks at everything."""
        self._ledger.check()
