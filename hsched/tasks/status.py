"""A job seen as a task: the attributes that `hsched list` shows and filters look at.  Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hsched.wire.remove import REMOVED

if TYPE_CHECKING:
    from hsched.wire.jobs import JobView

Value = str | float | None

#: Outcomes that have another name for a task.
_ENDS = {"succeeded": "done", "cancelled": "killed"}


def status(job: JobView) -> str:
    """Return how a task stands.

    ``waiting``, ``cancelled`` (until resumed), ``running``, ``stopping``, ``done``, or how it
    failed: ``failed``, ``killed``, ``signalled``, ``timed out``, ``dependency failed``,
    ``spawn failed``, ``lost``.
    """
    if job.state == "done":
        return _ENDS.get(job.outcome or "", job.outcome or "done")
    if job.state == "pending":
        return "cancelled" if is_held(job) else "waiting"
    return "running" if job.state == "starting" else job.state


def is_held(job: JobView) -> bool:
    """Return whether a pending task waits for somebody to let it start."""
    return job.state == "pending" and (job.reason or "").startswith("held")


def is_task(job: JobView) -> bool:
    """Return whether a job is on the list: it has a name, and nobody removed it."""
    return job.name is not None and REMOVED not in job.labels


#: The attributes, in the order in which they are told.
ATTRIBUTES: dict[str, Callable[[JobView], Value]] = {
    "name": lambda job: (job.name or "").rpartition("/")[2],
    "fullname": lambda job: job.name,
    "group": lambda job: (job.name or "").rpartition("/")[0],
    "status": status,
    "priority": lambda job: job.priority,
    "id": lambda job: int(job.id) if job.id.isdigit() else job.id,
    "attempt": lambda job: job.attempt,
    "pid": lambda job: job.pid,
    "exit_status": lambda job: job.exit_status,
    "reason": lambda job: job.reason,
    "command": lambda job: " ".join(job.command),
    "create_time": lambda job: job.submitted_at,
    "start_time": lambda job: job.started_at,
    "end_time": lambda job: job.ended_at,
    "wall_s": lambda job: job.wall_s,
    "cwd": lambda job: job.cwd,
    "out": lambda job: job.out,
    "err": lambda job: job.err,
}
