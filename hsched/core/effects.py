"""What must now be done in the world: the scheduler's outputs, in the imperative.

Effects are wishes.  The broker commits what they change before it carries them
out, and brings the outcome back as an event.
"""

from __future__ import annotations

from dataclasses import dataclass

from hsched.core.model import Allocation, JobId, Outcome


@dataclass(frozen=True, slots=True)
class StartJob:
    """Start this job on these slots; ``attempt`` counts from 1."""

    job_id: JobId
    allocation: Allocation
    attempt: int


@dataclass(frozen=True, slots=True)
class SignalJob:
    """Send ``signal`` to every process of the job's tree."""

    job_id: JobId
    signal: int


@dataclass(frozen=True, slots=True)
class ChangeJob:
    """A live job changed in a way that must be stored and announced; read it from the scheduler."""

    job_id: JobId


@dataclass(frozen=True, slots=True)
class EndJob:
    """The job is done and no longer known to the scheduler; store and announce how it ended."""

    job_id: JobId
    outcome: Outcome
    allocation: Allocation | None
    attempt: int


Effect = StartJob | SignalJob | ChangeJob | EndJob
