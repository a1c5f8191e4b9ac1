"""From a shim's record to how a job ended, and what it used.  Pure."""

from __future__ import annotations

import os
from typing import NamedTuple

from hsched.core.model import Outcome, OutcomeKind
from hsched.native.record import Exited, Left, Record, Signalled, SpawnFailed, Usage

_STEPS = {
    "plan": "the shim could not read its plan",
    "fork": "no process for it",
    "chdir": "its working directory",
    "record": "its record",
    "in": "its standard input",
    "out": "its output file",
    "err": "its error file",
    "limits": "its resource limits",
    "exec": "its command",
}
_LEFT = {Left.NOTHING: "nothing", Left.ENDED: "ended", Left.RUNNING: "running"}


class Used(NamedTuple):
    """What a job used: seconds of CPU, bytes, wall time of its end, what it left behind.

    The peak is that of the ``tree`` where the job had a cgroup, else of its largest ``process``.
    """

    cpu_s: float | None = None
    peak_memory_bytes: int | None = None
    peak_memory_kind: str | None = None
    ended_at: float | None = None
    tree_left: str | None = None


def outcome_of(record: Record | None) -> Outcome:
    """Return how the first process ended; lost, where the record does not tell."""
    match None if record is None else record.ending:
        case Exited(0):
            return Outcome(OutcomeKind.SUCCEEDED, exit_status=0)
        case Exited(status):
            return Outcome(OutcomeKind.FAILED, exit_status=status)
        case Signalled(number):
            return Outcome(OutcomeKind.SIGNALLED, signal=number)
        case SpawnFailed(errno, step):
            return spawn_failed(errno, _STEPS.get(step, step))
        case _:
            return Outcome(OutcomeKind.LOST, reason="its shim was killed")


def spawn_failed(errno: int, what: str) -> Outcome:
    """Return the outcome of a job that could not be started."""
    reason = f"{what}: {os.strerror(errno)}"
    return Outcome(OutcomeKind.SPAWN_FAILED, errno=errno, reason=reason)


def used_by(record: Record | None) -> Used:
    """Return what the job used, as far as the record tells."""
    usage = getattr(record.ending, "usage", None) if record is not None else None
    if not isinstance(usage, Usage):
        return Used()
    tree = None if record is None else record.tree_peak_kb
    return Used(
        cpu_s=usage.cpu_us / 1e6,
        peak_memory_bytes=1024 * (usage.max_rss_kb if tree is None else tree),
        peak_memory_kind="process" if tree is None else "tree",
        ended_at=usage.ended_at_us / 1e6,
        tree_left=None if usage.left is None else _LEFT[usage.left],
    )
