"""A workload: jobs that came, with how long each of them ran."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from hsched.core.model import Condition, Resource

#: Why jobs are left out of a workload.
TOO_LARGE = "larger than the machine"
NO_RUN_TIME = "without a run time"
NO_SUBMIT_TIME = "without a submit time"
NO_SIZE = "without a size"
A_PART = "parts of other jobs"


@dataclass(frozen=True, slots=True)
class TraceJob:
    """A job as the trace knows it.

    Times are in seconds, ``submit_s`` since the first submission.  The scheduler is told
    ``estimate_s`` as the job's time limit; it runs ``run_s`` whatever that says.
    ``amounts`` has one number for each resource, and ``upstreams`` the positions in the
    workload of the earlier jobs that it waits for.
    """

    label: str
    submit_s: float
    run_s: float
    estimate_s: float
    amounts: tuple[int, ...]
    priority: int = 0
    upstreams: tuple[tuple[int, Condition], ...] = ()


@dataclass(frozen=True, slots=True)
class Workload:
    """Jobs in order of submission, the first one at 0, and how many were left out and why."""

    jobs: tuple[TraceJob, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)

    def scaled(self, scale: float) -> Workload:
        """Return this with the times between submissions multiplied by ``scale``."""
        jobs = (replace(job, submit_s=job.submit_s * scale) for job in self.jobs)
        return replace(self, jobs=tuple(jobs))


def is_too_large(amounts: Sequence[int], resources: Sequence[Resource]) -> bool:
    """Return whether some amount is more than there is of its resource."""
    return any(n > resource.capacity for n, resource in zip(amounts, resources, strict=True))
