"""Which ready jobs start now: strict order, first fit, or backfill.

The *head* is the first job in order that does not fit, but would if every job
ended now.  What jobs behind it may do is the policy:

- ``fifo``: nothing.  ``first-fit``: whatever fits.
- ``backfill``: where the bounds of the jobs that the head waits for are known, it
  has a *reservation*: the moment at which its whole vector is free.  A later job
  may start if it is gone by then, or fits what the head leaves over at that moment.
  Where they are not known, a later job may start if it fits, and overtakes.

Nothing starves, for any stream of jobs that order behind.  A start that leaves
free all that the head needs and is free now overtakes nobody.  Each other start
counts, and after ``overtake`` of them slots are collected for the head, until it
starts.  Only starts under a reservation that is not later than the first one that
this head had do not count: they end by then, so they are no stream for ever.  A
holder that overruns its bound breaks that promise, and from then on starts count.
Jobs that ask for nothing start at once under each policy.

Devices that jobs share count as a whole here: a head that wants any leaves none to those
behind it that would hold them beyond its reservation, or while slots are collected for it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from math import inf

from hsched.core.classes import fits
from hsched.core.deadlines import SLACK_S
from hsched.core.devices import Corner
from hsched.core.inventory import Inventory
from hsched.core.job import Job
from hsched.core.model import JobId, Request
from hsched.core.queue import Queue
from hsched.core.sketch import Sketch


class Policy(str, Enum):
    """The rule that picks which pending jobs start."""

    FIFO = "fifo"
    FIRST_FIT = "first-fit"
    BACKFILL = "backfill"


@dataclass(slots=True)
class Reservation:
    """When the head can start at the latest, and what others may hold beyond that moment."""

    at: float
    extra: list[int]


class Bounds:
    """When the holders of slots are gone at the latest, soonest first, where that is known."""

    def __init__(self, jobs: Mapping[JobId, Job], inventory: Inventory) -> None:
        self._jobs = jobs
        self._inventory = inventory
        self._ends: list[tuple[float, JobId]] = []

    def set(self, job: Job, bound: float) -> None:
        """Note that ``job`` is gone by ``bound``; inf where nobody knows."""
        self.forget(job)
        job.bound = bound
        if bound < inf:
            insort(self._ends, (bound, job.id))

    def forget(self, job: Job) -> None:
        """Drop a job, before it gives back what it holds."""
        if job.bound < inf:
            del self._ends[bisect_left(self._ends, (job.bound, job.id))]
            job.bound = inf

    def known(self, now: float) -> list[tuple[float, JobId]]:
        """Return bounds and jobs, without those that overran."""
        return self._ends[bisect_right(self._ends, now, key=_overruns_at) :]

    def reservation(self, request: Request, now: float) -> Reservation | None:
        """Return when ``request`` can be met at the latest; None where no bound says so."""
        sketch = Sketch(self._inventory)
        at = inf
        for bound, job_id in self.known(now):
            if bound > at:
                break
            allocation = self._jobs[job_id].allocation
            assert allocation is not None, "a bound of a job that holds nothing"
            sketch.release(sketch.part(allocation))
            if at == inf and sketch.fits(request):
                at = bound
        if at == inf:
            return None
        left = zip(sketch.headroom, request.amounts, strict=True)
        return Reservation(at, [max(0, have - need) for have, need in left])

    def check(self) -> None:
        """Assert that the list agrees with what the jobs say."""
        ends = [(job.bound, job.id) for job in self._jobs.values() if job.bound < inf]
        assert sorted(ends) == self._ends, "bounds are out of step"


def _overruns_at(end: tuple[float, JobId]) -> float:
    return end[0] + SLACK_S


def limits(
    amounts: Sequence[int], corners: Sequence[Corner], length_s: float
) -> list[tuple[float, ...]]:
    """Return one limit for each corner, as classes state their needs."""
    return [(*amounts, *corner, length_s) for corner in corners]


@dataclass(slots=True)
class Terms:
    """What jobs behind the head may take, at one moment."""

    head: Job
    now: float
    policy: Policy
    overtake: int
    inventory: Inventory
    reservation: Reservation | None = None
    #: Whether the reservation is as early as the first that the head had.
    is_promised: bool = False

    def limits(self, free: tuple[int, ...], corners: tuple[Corner, ...]) -> list[tuple[float, ...]]:
        """Return vectors of amounts, shares and time; needs that fit one of them may be met."""
        if self.policy is Policy.FIFO:
            return limits([0] * len(free), self.inventory.no_corners, inf)
        if self.policy is Policy.FIRST_FIT:
            return limits(free, corners, inf)
        kept = self.inventory.no_corners if self._wants_devices else corners
        if not self.is_promised and self.head.passed >= self.overtake:
            return limits(self._unneeded(free), kept, inf)
        if self.reservation is None:
            return limits(free, corners, inf)
        left = self._without_shared(list(map(min, free, self.reservation.extra)))
        soon = limits(free, corners, self.reservation.at - self.now)
        return soon + limits(left, kept, inf)

    def take(self, job: Job, free: tuple[int, ...]) -> None:
        """Note that ``job``, which is allowed, starts; ``free`` is what was before."""
        if self.reservation is not None and job.length_s > self.reservation.at - self.now:
            for resource, amount in enumerate(job.request.amounts):
                self.reservation.extra[resource] -= amount
        if self.policy is Policy.BACKFILL and not self.is_promised:
            is_harmless = fits(job.request.amounts, self._unneeded(free))
            is_harmless = is_harmless and not (job.request.devices and self._wants_devices)
            self.head.passed += not is_harmless

    def _unneeded(self, free: tuple[int, ...]) -> list[int]:
        # What is free and of no use to the head, even if all the rest is collected for it.
        unneeded = [
            max(0, have - need) if need else have
            for have, need in zip(free, self.head.request.amounts, strict=True)
        ]
        return self._without_shared(unneeded)

    @property
    def _wants_devices(self) -> bool:
        # Whether the head can use devices, shared or whole.
        position = self._position
        whole = position is not None and self.head.request.amounts[position] > 0
        return whole or self.head.request.devices > 0

    @property
    def _position(self) -> int | None:
        return None if self.inventory.devices is None else self.inventory.devices.position

    def _without_shared(self, amounts: list[int]) -> list[int]:
        # A head that wants shares can use any device, so none of them is left over.
        if self.head.request.devices and self._position is not None:
            amounts[self._position] = 0
        return amounts


class Chooser:
    """Starts what may start, by the policy."""

    def __init__(
        self, queue: Queue, inventory: Inventory, bounds: Bounds, policy: Policy, overtake: int
    ) -> None:
        self._queue = queue
        self._inventory = inventory
        self._bounds = bounds
        self.policy = policy
        #: How often a head can be overtaken before slots are collected for it.
        self.overtake = overtake
        #: The last head that had a reservation, and its first one.
        self._promise: tuple[JobId, float] | None = None

    def run(self, now: float, start: Callable[[Job], None]) -> Job | None:
        """Call ``start`` for each job that starts now, in order; it acquires the slots.

        Returns the head if it was overtaken: its ``passed`` has grown.
        """
        while (head := self.next()) is not None:
            if not self._inventory.fits(head.request):
                return self._run_behind(head, now, start)
            start(head)
        return None

    def next(self) -> Job | None:
        """Return the first job in order that would fit if every job ended now."""
        corners = self._inventory.no_corners
        if self._queue.sharing:
            corners = self._inventory.corners_without_jobs()
        return self._queue.first(*limits(self._inventory.usable, corners, inf))

    def waits_for_outsiders(self) -> bool:
        """Whether some job would start, or be next, if what outsiders use were free."""
        devices = self._inventory.devices
        if devices is None or not (any(devices.outside) or devices.occupied):
            return False
        now = limits(self._inventory.free, self._corners(), inf)
        free, corners = self._inventory.without_outsiders()
        return self._queue.has_between(now, limits(free, corners, inf))

    def _corners(self) -> tuple[Corner, ...]:
        # Nobody needs to be told what can be shared while nobody asks for it.
        return self._inventory.corners() if self._queue.sharing else self._inventory.no_corners

    def _run_behind(self, head: Job, now: float, start: Callable[[Job], None]) -> Job | None:
        free = self._inventory.free
        job = self._queue.first(*limits(free, self._corners(), inf))
        if job is None:
            return None  # The usual case, and one search is all that it costs.
        before = head.passed
        terms = self._terms(head, now)
        allowed = terms.limits(free, self._corners())
        assert job.queued is not None, "a job that was found is in the queue"
        if not any(fits(job.queued.needs, limit) for limit in allowed):
            job = self._queue.first(*allowed)
        while job is not None:
            terms.take(job, free)
            start(job)
            free = self._inventory.free
            job = self._queue.first(*terms.limits(free, self._corners()))
        return head if head.passed > before else None

    def _terms(self, head: Job, now: float) -> Terms:
        terms = Terms(head, now, self.policy, self.overtake, self._inventory)
        if self.policy is Policy.BACKFILL:
            terms.reservation = self._bounds.reservation(head.request, now)
        if terms.reservation is not None:
            if self._promise is None or self._promise[0] != head.id:
                self._promise = (head.id, terms.reservation.at)
            terms.is_promised = terms.reservation.at <= self._promise[1]
        return terms
