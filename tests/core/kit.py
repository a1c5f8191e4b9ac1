"""What the tests of the core share: short words for jobs, and a scheduler that checks itself."""

from __future__ import annotations

from typing import Any

from hsched.core.effects import Effect, StartJob
from hsched.core.events import Ended, Event, Started, Submitted
from hsched.core.job import Job
from hsched.core.model import (
    Condition,
    Dependency,
    JobId,
    NewJob,
    Outcome,
    OutcomeKind,
    Request,
    Resource,
    job_id,
)
from hsched.core.policy import Policy
from hsched.core.scheduler import Scheduler
from hsched.core.spec import parse_spec
from hsched.errors import HschedError

OK = Outcome(OutcomeKind.SUCCEEDED, exit_status=0)
FAILED = Outcome(OutcomeKind.FAILED, exit_status=1)
CANCELLED = Outcome(OutcomeKind.CANCELLED)
TIMED_OUT = Outcome(OutcomeKind.TIMED_OUT)


def new(number: int, *amounts: int, index: int | None = None, **fields: Any) -> NewJob:
    """Return job ``number``, or element ``index`` of array ``number``; it asks for one slot."""
    return NewJob(job_id(number, index), Request(amounts or (1,)), **fields)


def after(*numbers: int, condition: str = "afterok") -> tuple[Dependency, ...]:
    """Return dependencies on jobs or whole arrays."""
    return tuple(Dependency(job_id(number), Condition(condition)) for number in numbers)


def ids(*numbers: int) -> tuple[JobId, ...]:
    """Return the ids of plain jobs."""
    return tuple(map(job_id, numbers))


def picture(scheduler: Scheduler) -> object:
    """Return all that a refused event must leave as it was."""
    ledger = scheduler._ledger
    jobs = [{name: _plain(job, name) for name in Job.__slots__} for job in scheduler.live()]
    pools = [[getattr(pool, name) for name in pool.__slots__] for pool in ledger.inventory.pools]
    queued = [job.id for job in ledger.queue.in_order()]
    flags = (ledger.is_stopped, ledger.is_stirred, ledger.effects, scheduler.next_deadline())
    edges = {up: sorted(down) for up, down in ledger.dependencies._downstream.items()}
    arrays = {n: (a.unstarted, a.holding, a.failure) for n, a in ledger.arrays._arrays.items()}
    return jobs, pools, queued, flags, edges, arrays, scheduler.resources


def _plain(job: Job, name: str) -> object:
    value = getattr(job, name)
    return (
        value is not None
        if name == "queued"
        else dict(value)
        if name == "unmet" and value
        else value
    )


class Checked(Scheduler):
    """A scheduler that checks its invariants, and that a refusal changes nothing."""

    def handle(self, event: Event, now: float = 0.0) -> list[Effect]:
        """Apply ``event`` and check."""
        before = picture(self)
        try:
            return super().handle(event, now)
        except HschedError:
            assert picture(self) == before, "refused, and yet something changed"
            raise
        finally:
            self.check()

    def submit(self, *jobs: NewJob, now: float = 0.0) -> list[int]:
        """Submit jobs; return the numbers of those that start."""
        return started(self.handle(Submitted(jobs), now))

    def run(self, *jobs: NewJob, now: float = 0.0) -> None:
        """Submit jobs, and have all that start running."""
        for effect in self.handle(Submitted(jobs), now):
            if isinstance(effect, StartJob):
                self.handle(Started(effect.job_id), now)

    def end(self, number: int, outcome: Outcome = OK, now: float = 0.0) -> list[int]:
        """End a plain job; return the numbers of those that start."""
        return started(self.handle(Ended(job_id(number), outcome), now))


def make(spec: str = "1", policy: Policy = Policy.BACKFILL, overtake: int = 10) -> Checked:
    """Return a scheduler for SPEC."""
    return Checked(parse_spec(spec), policy, overtake)


def started(effects: list[Effect]) -> list[int]:
    """Return the numbers of the jobs that start."""
    return [effect.job_id >> 21 for effect in effects if isinstance(effect, StartJob)]


def numbered(*capacities: int) -> tuple[Resource, ...]:
    """Return numbered resources r0, r1, ..."""
    return tuple(Resource(f"r{i}", capacity) for i, capacity in enumerate(capacities))
