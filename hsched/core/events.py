"""What can happen to the scheduler: its inputs, named in the past participle.

Events are facts.  Those that a client causes can be refused; then the handler
raises and nothing has changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from hsched.core.model import Allocation, Dependency, JobId, NewJob, Outcome, Request, State


@dataclass(frozen=True, slots=True)
class Submitted:
    """Jobs came in, all or none.

    ``finished`` tells how the upstream jobs that are no longer live ended; every
    dependency must be live, in this batch, or in there.
    """

    jobs: tuple[NewJob, ...]
    finished: Mapping[JobId, Outcome] = field(default_factory=dict)


class RestoredJob(NamedTuple):
    """A live job as the store remembers it.

    ``ran_s`` is how long it has been running; ``stopping`` jobs carry the outcome
    they will end with in ``verdict`` (cancelled or timed out).
    """

    job: NewJob
    state: State = State.PENDING
    allocation: Allocation | None = None
    attempt: int = 1
    passed: int = 0
    ran_s: float = 0.0
    suspended: bool = False
    verdict: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Restored:
    """The broker came back with these live jobs, in order of id."""

    jobs: tuple[RestoredJob, ...]
    finished: Mapping[JobId, Outcome] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Started:
    """The job's shim is there: a starting job runs, for ``ran_s`` seconds by now."""

    job_id: JobId
    ran_s: float = 0.0


@dataclass(frozen=True, slots=True)
class NotStarted:
    """The machine had no room for the job's shim: a starting job is pending again."""

    job_id: JobId


@dataclass(frozen=True, slots=True)
class Ended:
    """The job's whole tree is gone; ``outcome`` is what its first process reported.

    ``successor`` is the job that runs on its slots already, as
    :meth:`~hsched.core.scheduler.Scheduler.next_in_line` had told.
    """

    job_id: JobId
    outcome: Outcome
    successor: JobId | None = None


@dataclass(frozen=True, slots=True)
class CancelAsked:
    """Somebody wants these jobs gone: pending ones leave, others get TERM, then KILL.

    ``grace_s`` None means each job's own; 0 means KILL at once.
    """

    job_ids: tuple[JobId, ...]
    grace_s: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SignalAsked:
    """Somebody wants running jobs to get a signal that changes nothing else."""

    job_ids: tuple[JobId, ...]
    signal: int


@dataclass(frozen=True, slots=True)
class HoldAsked:
    """Pending jobs shall not start until released."""

    job_ids: tuple[JobId, ...]


@dataclass(frozen=True, slots=True)
class ReleaseAsked:
    """Held jobs may start again."""

    job_ids: tuple[JobId, ...]


@dataclass(frozen=True, slots=True)
class UpdateAsked:
    """Change pending jobs; None leaves a field as it is, ``no_time_limit`` removes one.

    ``requests`` has what each asks for from now on, devices and all; empty for no change.
    """

    job_ids: tuple[JobId, ...]
    priority: int | None = None
    requests: Mapping[JobId, Request] = field(default_factory=dict)
    time_limit_s: float | None = None
    no_time_limit: bool = False
    dependencies: tuple[Dependency, ...] | None = None
    finished: Mapping[JobId, Outcome] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SuspendAsked:
    """Stop (SIGSTOP) running jobs; they keep their slots."""

    job_ids: tuple[JobId, ...]


@dataclass(frozen=True, slots=True)
class ResumeAsked:
    """Continue (SIGCONT) suspended jobs."""

    job_ids: tuple[JobId, ...]


@dataclass(frozen=True, slots=True)
class CapacitySet:
    """The totals changed, one per resource; holders keep what they hold.

    Pending jobs that no longer fit the totals are held, with that as their reason.
    """

    capacities: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SlotsDrained:
    """Numbered slots were taken out of (or, ``back``, put back into) use; holders keep theirs."""

    resource: int
    slots: tuple[int, ...]
    back: bool = False


@dataclass(frozen=True, slots=True)
class DevicesSeen:
    """Somebody looked at the devices: what outsiders use of each now, in bytes.

    ``occupants`` says why each cannot be had as a whole, empty where it can.
    """

    outside: tuple[int, ...]
    occupants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StartsStopped:
    """Nothing more shall be started (or, ``again``, jobs may start again)."""

    again: bool = False


@dataclass(frozen=True, slots=True)
class StartedElsewhere:
    """Another scheduler has started this job, ``ran_s`` seconds ago."""

    job_id: JobId
    ran_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Requeued:
    """Another scheduler has taken this running job back into its queue."""

    job_id: JobId


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Another scheduler will never start this pending job; ``outcome`` says why."""

    job_id: JobId
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class TimePassed:
    """A deadline may have come; the scheduler looks which."""


Event = (
    Submitted
    | Restored
    | Started
    | NotStarted
    | Ended
    | CancelAsked
    | SignalAsked
    | HoldAsked
    | ReleaseAsked
    | UpdateAsked
    | SuspendAsked
    | ResumeAsked
    | CapacitySet
    | SlotsDrained
    | DevicesSeen
    | StartsStopped
    | StartedElsewhere
    | Requeued
    | GivenUp
    | TimePassed
)
