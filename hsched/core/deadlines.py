"""What time brings to jobs: one heap of moments, soonest first.

An entry is never taken out when its job changes: it is stale, and skipped, once
:func:`moment` of the job says something else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import IntEnum
from heapq import heappop, heappush

from hsched.core.job import Job
from hsched.core.model import JobId, State

#: How many seconds after its bound a job counts as one that overruns it.  Starting a
#: shim and the death of a killed tree take a moment; this is not worth a broken promise.
SLACK_S = 1.0


class Due(IntEnum):
    """What can be due; of the same moment, the smaller comes first."""

    BEGIN = 0  # a pending job may start from now on
    WARN = 1  # the signal that announces the time limit
    LIMIT = 2  # the time limit
    KILL = 3  # the end of the grace
    OVERRUN = 4  # a killed job is still there: nobody knows for how long


def moment(job: Job, due: Due) -> float | None:
    """Return when ``due`` comes to ``job``, or None if it does not."""
    if due is Due.BEGIN:
        return job.not_before if job.state is State.PENDING else None
    if due is Due.KILL:
        return None if job.killed else job.kill_at
    if due is Due.OVERRUN:
        return job.bound + SLACK_S if job.killed else None
    if job.state is not State.RUNNING or job.started is None or job.time_limit_s is None:
        return None
    if due is Due.LIMIT:
        return job.started + job.time_limit_s
    if job.warning is None:
        return None
    return job.started + max(0.0, job.time_limit_s - job.warning.before_s)


class Deadlines:
    """The moments that live jobs wait for."""

    def __init__(self, jobs: Mapping[JobId, Job]) -> None:
        self._jobs = jobs
        self._heap: list[tuple[float, Due, JobId]] = []
        self._compact_at = 64

    def arm(self, job: Job, *dues: Due) -> None:
        """Remember when each of ``dues`` comes to ``job``, if it does."""
        for due in dues:
            when = moment(job, due)
            if when is not None:
                heappush(self._heap, (when, due, job.id))
        if len(self._heap) > self._compact_at:
            self._heap = sorted(set(filter(self._is_valid, self._heap)))
            self._compact_at = 64 + 2 * len(self._heap)

    def next(self) -> float | None:
        """Return the soonest moment, or None if nothing is waited for."""
        while self._heap and not self._is_valid(self._heap[0]):
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now: float) -> Iterator[tuple[Job, Due]]:
        """Yield what is due at ``now``, soonest first; what came in the meantime included."""
        while (when := self.next()) is not None and when <= now:
            _, due, job_id = heappop(self._heap)
            yield self._jobs[job_id], due

    def check(self) -> None:
        """Assert that no moment that still must come is missing."""
        waiting = set(self._heap)
        for job in self._jobs.values():
            for due in (Due.LIMIT, Due.KILL):
                when = moment(job, due)
                assert when is None or (when, due, job.id) in waiting, f"{job} misses {due}"

    def _is_valid(self, entry: tuple[float, Due, JobId]) -> bool:
        when, due, job_id = entry
        job = self._jobs.get(job_id)
        return job is not None and moment(job, due) == when
