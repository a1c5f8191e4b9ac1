"""Virtual time: what a trace says becomes events of the core, at the moments it says.

What happens at one moment happens together: first all ends, then what time brings,
then all submissions.  A job ends when its run time is over and not before, also where
that is longer than its estimate: the scheduler then sees a limit that passes, and a
job that does not heed the KILL it wished for, as it would in the world.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from hsched.core.effects import StartJob
from hsched.core.events import Ended, Event, Started, StartsStopped, Submitted, TimePassed
from hsched.core.model import (
    Allocation,
    Dependency,
    JobId,
    NewJob,
    Outcome,
    OutcomeKind,
    Request,
    Resource,
    job_id,
    job_number,
)
from hsched.core.policy import Policy
from hsched.core.scheduler import Scheduler
from hsched.simulate.workload import TraceJob

_DONE = Outcome(OutcomeKind.SUCCEEDED, exit_status=0)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where and when a job ran; seconds since the first submission."""

    job: TraceJob
    start_s: float
    end_s: float
    allocation: Allocation

    @property
    def wait_s(self) -> float:
        """Seconds from its submission to its start."""
        return self.start_s - self.job.submit_s


def simulate(
    jobs: Sequence[TraceJob],
    resources: Sequence[Resource],
    policy: Policy = Policy.BACKFILL,
    overtake: int = 10,
) -> list[Placement]:
    """Return where and when each of ``jobs``, in order of submission, runs, in that order.

    Raises:
        WrongUsage: ``overtake`` is negative.
        Refused: a job asks for more than there is.
    """
    return _Simulation(jobs, Scheduler(resources, policy, overtake)).run()


class _Simulation:
    """One run over a trace; the job at position ``i`` has the number ``i`` + 1."""

    def __init__(self, jobs: Sequence[TraceJob], scheduler: Scheduler) -> None:
        self._jobs = jobs
        self._scheduler = scheduler
        self._now = 0.0
        #: How many jobs have been submitted.
        self._arrived = 0
        #: When the jobs that run will end.
        self._ends: list[tuple[float, JobId]] = []
        self._placements: dict[JobId, Placement] = {}

    def run(self) -> list[Placement]:
        while (moment := self._next_moment()) is not None:
            self._now = moment
            self._end_jobs()
            self._pass_time()
            self._submit_jobs()
        assert not self._scheduler.live_count, "jobs that fit were never started"
        return [self._placements[job_id(i + 1)] for i in range(len(self._jobs))]

    def _next_moment(self) -> float | None:
        moments = [self._ends[0][0]] if self._ends else []
        if self._arrived < len(self._jobs):
            moments.append(self._jobs[self._arrived].submit_s)
        if (deadline := self._scheduler.next_deadline()) is not None:
            moments.append(max(deadline, self._now))
        return min(moments, default=None)

    def _end_jobs(self) -> None:
        ended = []
        while self._ends and self._ends[0][0] <= self._now:
            ended.append(heappop(self._ends)[1])
        # Without this the slots of the first would be given away before the last is gone.
        together = len(ended) > 1
        if together:
            self._tell(StartsStopped())
        for identity in ended:
            self._tell(Ended(identity, _DONE))
        if together:
            self._tell(StartsStopped(again=True))

    def _pass_time(self) -> None:
        deadline = self._scheduler.next_deadline()
        if deadline is not None and deadline <= self._now:
            self._tell(TimePassed())

    def _submit_jobs(self) -> None:
        batch: list[NewJob] = []
        finished: dict[JobId, Outcome] = {}
        while self._arrived < len(self._jobs):
            job = self._jobs[self._arrived]
            if job.submit_s > self._now:
                break
            self._arrived += 1
            new = _new_job(job, self._arrived)
            batch.append(new)
            for edge in new.dependencies:
                placement = self._placements.get(edge.upstream)
                if placement is not None and self._scheduler.find(edge.upstream) is None:
                    finished[edge.upstream] = _DONE
        if batch:
            self._tell(Submitted(tuple(batch), finished))

    def _tell(self, event: Event) -> None:
        line = deque([event])
        while line:
            for effect in self._scheduler.handle(line.popleft(), self._now):
                if isinstance(effect, StartJob):
                    self._start(effect)
                    line.append(Started(effect.job_id))

    def _start(self, effect: StartJob) -> None:
        job = self._jobs[job_number(effect.job_id) - 1]
        end = self._now + job.run_s
        self._placements[effect.job_id] = Placement(job, self._now, end, effect.allocation)
        heappush(self._ends, (end, effect.job_id))


def _new_job(job: TraceJob, number: int) -> NewJob:
    edges = (Dependency(job_id(at + 1), condition) for at, condition in job.upstreams)
    return NewJob(
        job_id(number),
        Request(job.amounts),
        priority=job.priority,
        dependencies=tuple(edges),
        time_limit_s=job.estimate_s,
        grace_s=0.0,
    )
