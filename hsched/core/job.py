"""The live record of a job, and the class of jobs that only their order tells apart.

Only the scheduler changes these; the broker reads them.  There may be 100,000
of them, so they are lean, and what many share is stored once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from math import inf

from hsched.core.model import (
    INDEX_BITS,
    Allocation,
    Condition,
    Dependency,
    JobId,
    LimitWarning,
    NewJob,
    Outcome,
    Request,
    State,
    job_number,
)

_INDEX = (1 << INDEX_BITS) - 1

#: The states in which a job holds slots.
HOLDING = frozenset((State.STARTING, State.RUNNING, State.STOPPING))


@dataclass(slots=True, eq=False)
class JobClass:
    """The ready jobs of equal request, priority and limit: only the first can be next.

    ``ids`` is a heap, which may hold ids that have left; a job is in the class if
    its ``queued`` says so, and there are ``size`` of those.
    """

    priority: int
    #: What starting one takes: the amounts, then how long it may hold them (s).
    needs: tuple[float, ...]
    #: Number and limit of the array, where one caps how many of its elements run.
    array: tuple[int, int] | None
    ids: list[JobId] = field(default_factory=list)
    size: int = 0
    #: Where it stands in the order: (-priority, first id); None while out of it.
    place: tuple[int, JobId] | None = None


@dataclass(slots=True, eq=False)
class Job:
    """A job that is not done; moments are seconds on the scheduler's clock."""

    id: JobId
    request: Request
    priority: int
    held: bool
    #: It is not started before this moment.
    not_before: float | None
    #: Longest run, in seconds from its start; None for no limit.
    time_limit_s: float | None
    #: Seconds between TERM and KILL; a cancellation may shorten it.
    grace_s: float
    warning: LimitWarning | None
    retries: int
    retry_on: tuple[int, ...]
    array_limit: int | None
    state: State = State.PENDING
    #: Why it is held, where nobody asked for it; empty otherwise.
    hold_reason: str = ""
    #: The dependencies that are not met yet, by upstream; None when there are none.
    unmet: dict[JobId, tuple[Condition, ...]] | None = None
    #: Which try this is, from 1.
    attempt: int = 1
    #: How often it was overtaken while it was the head; see policy.py.
    passed: int = 0
    #: What it holds, while it starts, runs or stops.
    allocation: Allocation | None = None
    #: When this attempt started to run; None before.
    started: float | None = None
    #: When its slots are back at the latest; inf where nothing bounds it.
    bound: float = inf
    #: When KILL is due, once it was asked to end.
    kill_at: float | None = None
    #: Whether KILL was sent.
    killed: bool = False
    suspended: bool = False
    #: How it will have ended, whatever its processes say: cancelled or timed out.
    verdict: Outcome | None = None
    #: The class in the queue that it waits in, while it is ready to start.
    queued: JobClass | None = None

    @classmethod
    def of(cls, new: NewJob) -> Job:
        """Return the record of a job that came in; its dependencies are linked later."""
        return cls(
            id=new.id,
            request=shared(new.request),
            priority=new.priority,
            held=new.held,
            not_before=new.not_before,
            time_limit_s=new.time_limit_s,
            grace_s=new.grace_s,
            warning=new.warning,
            retries=new.retries,
            retry_on=new.retry_on,
            array_limit=new.array_limit,
        )

    @property
    def dependencies(self) -> tuple[Dependency, ...]:
        """The dependencies that are not met yet, in order of upstream."""
        return tuple(
            Dependency(upstream, condition)
            for upstream, conditions in sorted((self.unmet or {}).items())
            for condition in conditions
        )

    @property
    def array(self) -> int | None:
        """Number of the array that it is an element of, or None."""
        return job_number(self.id) if self.id & _INDEX else None

    @property
    def length_s(self) -> float:
        """Seconds for which it can hold its slots: limit and grace; inf without a limit."""
        return inf if self.time_limit_s is None else self.time_limit_s + self.grace_s

    @property
    def has_started(self) -> bool:
        """Whether some attempt of it has run."""
        return self.started is not None or self.attempt > 1

    @property
    def is_holding(self) -> bool:
        """Whether it holds slots."""
        return self.state in HOLDING

    def forget_attempt(self) -> None:
        """Make it as it was before it was started; the caller took its slots."""
        self.allocation = self.started = self.kill_at = self.verdict = None
        self.bound = inf
        self.killed = self.suspended = False


@lru_cache(maxsize=4096)
def shared(request: Request) -> Request:
    """Return a request equal to ``request``, the same object for many callers."""
    return request
