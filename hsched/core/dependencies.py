"""Who waits for whom: both ends of each edge between live jobs.

A dependency on an array as a whole looks at the array's counters, never at each
element, so that N dependants of M elements cost N + M.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from hsched.core.arrays import Array, Arrays
from hsched.core.conditions import Standing, clause, judge, why_lost
from hsched.core.job import Job
from hsched.core.model import Dependency, JobId, Outcome, array_index, job_id, job_number


@dataclass(slots=True)
class Settled:
    """Jobs for which something was decided: nothing left to wait for, or never to run."""

    freed: list[Job] = field(default_factory=list)
    lost: list[tuple[Job, str]] = field(default_factory=list)


class Dependencies:
    """The edges between live jobs; ``Job.unmet`` is one end, kept in step with the other."""

    def __init__(self, jobs: Mapping[JobId, Job], arrays: Arrays) -> None:
        self._jobs = jobs
        self._arrays = arrays
        self._downstream: dict[JobId, set[JobId]] = {}

    def has_downstream(self, job: Job) -> bool:
        """Return whether others wait for ``job``, or for the array that it is an element of."""
        number = job.array
        return job.id in self._downstream or (
            number is not None and job_id(number) in self._downstream
        )

    def standing(self, upstream: JobId, past: Mapping[JobId, Standing]) -> Standing | None:
        """Return how ``upstream`` stands, live or in ``past``; None if nobody knows it."""
        job = self._jobs.get(upstream)
        if job is not None:
            return Standing(job.has_started, False)
        array = self._array(upstream)
        return _standing(array) if array is not None else past.get(upstream)

    def learn(self, past: Mapping[JobId, Standing]) -> None:
        """Note which live arrays have elements that are done and did not succeed."""
        for identity, standing in past.items():
            array = self._array(identity)
            if array is not None and not array.failure:
                array.failure = standing.failure

    def link(self, job: Job, wanted: Iterable[Dependency], past: Mapping[JobId, Standing]) -> str:
        """Make ``job`` wait for those ``wanted`` that are not met yet.

        Every upstream is live or in ``past``.  Returns the reason if one of them
        can never be met; the caller ends the job then.
        """
        lost = ""
        for dependency in dict.fromkeys(wanted):
            upstream, condition = dependency.upstream, dependency.condition
            standing = self.standing(upstream, past)
            assert standing is not None, f"{dependency} was let in"
            met = judge(condition, standing)
            if met is False:
                lost = lost or why_lost(condition, upstream, standing)
            elif met is None:
                job.unmet = job.unmet or {}
                job.unmet[upstream] = (*job.unmet.get(upstream, ()), condition)
                self._downstream.setdefault(upstream, set()).add(job.id)
        return lost

    def unlink(self, job: Job) -> None:
        """Make ``job`` wait for nobody."""
        for upstream in job.unmet or ():
            self._cut(upstream, job.id)
        job.unmet = None

    def started(self, job: Job) -> Settled:
        """Settle what waits for the first start of ``job``, which has just come."""
        settled = Settled()
        self._settle(job.id, Standing(True, False), settled)
        array = self._arrays.get(job.array)
        if array is not None and not array.unstarted:
            self._settle(job_id(job_number(job.id)), _standing(array), settled)
        return settled

    def ended(self, job: Job, outcome: Outcome, array: Array | None) -> Settled:
        """Settle what waits for ``job``, which is done, and for its ``array``, if any."""
        settled = Settled()
        failure = "" if outcome.succeeded else clause(job.id, outcome)
        self._settle(job.id, Standing(True, True, failure), settled)
        if array is not None:
            news = bool(failure) and not array.failure
            array.failure = array.failure or failure
            # An array is looked at when something is new of it, not with each element.
            all_began = not array.unstarted and not job.has_started
            if news or all_began or not array.members:
                self._settle(job_id(job_number(job.id)), _standing(array), settled)
        return settled

    def upstreams(self, identity: JobId) -> Iterable[JobId]:
        """Return what a live job waits for; what an array as a whole waits for is its elements."""
        job = self._jobs.get(identity)
        if job is not None:
            return job.unmet or ()
        array = self._array(identity)
        return array.members if array is not None else ()

    def check(self) -> None:
        """Assert that both ends of each edge are there, and that none is settled."""
        ends = {(u, job.id) for job in self._jobs.values() for u in job.unmet or ()}
        assert ends == {(u, d) for u, ids in self._downstream.items() for d in ids}
        for upstream, downstream in ends:
            standing = self.standing(upstream, {})
            assert standing is not None, "an edge to nobody"
            for condition in (self._jobs[downstream].unmet or {})[upstream]:
                assert judge(condition, standing) is None, "an edge that is settled"

    def _array(self, identity: JobId) -> Array | None:
        return None if array_index(identity) is not None else self._arrays.get(job_number(identity))

    def _cut(self, upstream: JobId, downstream: JobId) -> None:
        ids = self._downstream[upstream]
        ids.discard(downstream)
        if not ids:
            del self._downstream[upstream]

    def _settle(self, upstream: JobId, standing: Standing, settled: Settled) -> None:
        for identity in sorted(self._downstream.get(upstream, ())):
            job = self._jobs[identity]
            assert job.unmet is not None, "an edge without its other end"
            judged = {condition: judge(condition, standing) for condition in job.unmet[upstream]}
            if False in judged.values():
                lost = next(condition for condition, met in judged.items() if met is False)
                settled.lost.append((job, why_lost(lost, upstream, standing)))
            elif is_open := tuple(condition for condition, met in judged.items() if met is None):
                job.unmet[upstream] = is_open
            else:
                del job.unmet[upstream]
                self._cut(upstream, identity)
                if not job.unmet:
                    job.unmet = None
                    settled.freed.append(job)


def _standing(array: Array) -> Standing:
    return Standing(not array.unstarted, not array.members, array.failure)


def waits_for_itself(
    starts: Iterable[JobId], upstreams: Callable[[JobId], Iterable[JobId]]
) -> JobId | None:
    """Return a job from which following ``upstreams`` leads back to it, or None."""
    clear: set[JobId] = set()
    for start in starts:
        path: dict[JobId, None] = {}
        branches = [iter((start,))]  # those of the start, then of each job on the path
        while branches:
            here = next(branches[-1], None)
            if here is None:
                branches.pop()
                if path:
                    clear.add(path.popitem()[0])
            elif here in path:
                return here
            elif here not in clear:
                path[here] = None
                branches.append(iter(tuple(upstreams(here))))
    return None
