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
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from math import inf

from hsched.core.classes import fits
from hsched.core.deadlines import SLACK_S
from hsched.core.inventory import Inventory
from hsched.core.job import Job
from hsched.core.model import JobId
from hsched.core.queue import Queue


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

    def reservation(self, needs: Sequence[int], now: float) -> Reservation | None:
        """Return when ``needs`` is free at the latest; None where no bound says so."""
        headroom = list(self._inventory.headroom)
        at = inf
        for bound, job_id in self.known(now):
            if bound > at:
                break
            allocation = self._jobs[job_id].allocation
            assert allocation is not None, "a bound of a job that holds nothing"
            for resource, amount in enumerate(self._inventory.returned(allocation)):
                headroom[resource] += amount
            if at == inf and fits(needs, [max(0, have) for have in headroom]):
                at = bound
        if at == inf:
            return None
        return Reservation(at, [max(0, h - n) for h, n in zip(headroom, needs, strict=True)])

    def check(self) -> None:
        """Assert that the list agrees with what the jobs say."""
        ends = [(job.bound, job.id) for job in self._jobs.values() if job.bound < inf]
        assert sorted(ends) == self._ends, "bounds are out of step"


def _overruns_at(end: tuple[float, JobId]) -> float:
    return end[0] + SLACK_S


@dataclass(slots=True)
class Terms:
    """What jobs behind the head may take, at one moment."""

    head: Job
    now: float
    policy: Policy
    overtake: int
    reservation: Reservation | None = None
    #: Whether the reservation is as early as the first that the head had.
    is_promised: bool = False

    def limits(self, free: tuple[int, ...]) -> list[tuple[float, ...]]:
        """Return vectors of amounts and time; needs that fit one of them may be met."""
        if self.policy is Policy.FIFO:
            return [(*(0 for _ in free), inf)]
        if self.policy is Policy.FIRST_FIT:
            return [(*free, inf)]
        if not self.is_promised and self.head.passed >= self.overtake:
            return [(*self._unneeded(free), inf)]
        if self.reservation is None:
            return [(*free, inf)]
        left = map(min, free, self.reservation.extra)
        return [(*free, self.reservation.at - self.now), (*left, inf)]

    def take(self, job: Job, free: tuple[int, ...]) -> None:
        """Note that ``job``, which is allowed, starts; ``free`` is what was before."""
        if self.reservation is not None and job.length_s > self.reservation.at - self.now:
            for resource, amount in enumerate(job.request.amounts):
                self.reservation.extra[resource] -= amount
        if self.policy is Policy.BACKFILL and not self.is_promised:
            self.head.passed += not fits(job.request.amounts, self._unneeded(free))

    def _unneeded(self, free: tuple[int, ...]) -> list[int]:
        # What is free and of no use to the head, even if all the rest is collected for it.
        return [
            max(0, have - need) if need else have
            for have, need in zip(free, self.head.request.amounts, strict=True)
        ]


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
            if not fits(head.request.amounts, self._inventory.free):
                return self._run_behind(head, now, start)
            start(head)
        return None

    def next(self) -> Job | None:
        """Return the first job in order that would fit if every job ended now."""
        return self._queue.first((*self._inventory.usable, inf))

    def _run_behind(self, head: Job, now: float, start: Callable[[Job], None]) -> Job | None:
        free = self._inventory.free
        job = self._queue.first((*free, inf))
        if job is None:
            return None  # The usual case, and one search is all that it costs.
        before = head.passed
        terms = self._terms(head, now)
        needs = (*job.request.amounts, job.length_s)
        if not any(fits(needs, limit) for limit in terms.limits(free)):
            job = self._queue.first(*terms.limits(free))
        while job is not None:
            terms.take(job, free)
            start(job)
            free = self._inventory.free
            job = self._queue.first(*terms.limits(free))
        return head if head.passed > before else None

    def _terms(self, head: Job, now: float) -> Terms:
        terms = Terms(head, now, self.policy, self.overtake)
        if self.policy is Policy.BACKFILL:
            terms.reservation = self._bounds.reservation(head.request.amounts, now)
        if terms.reservation is not None:
            if self._promise is None or self._promise[0] != head.id:
                self._promise = (head.id, terms.reservation.at)
            terms.is_promised = terms.reservation.at <= self._promise[1]
        return terms
