"""What comes of a task whose job is done."""

from __future__ import annotations

from typing import NamedTuple

from hsched.experiment.board import blocked_by
from hsched.experiment.endings import FAILED, TIMEOUT, Failure
from hsched.experiment.jobs import Job
from hsched.wire.subscribe import Change

_DEPENDENCY_FAILED = "dependency failed"
_CANCELLED = "cancelled"
_TIMED_OUT = "timed out"


class Verdict(NamedTuple):
    """It succeeded (no ``failure``), or it failed, or it is to be submitted ``again``."""

    failure: Failure | None = None
    again: bool = False


def judge(job: Job, change: Change, attempts: int) -> Verdict:
    """Return what comes of ``job``, whose job ended as ``change`` says after ``attempts`` runs.

    The marker that the task wrote counts for more than the scheduler's outcome: a task may
    have succeeded in the very moment in which it was told to end.
    """
    if job.is_done():
        return Verdict()
    if change.outcome == _DEPENDENCY_FAILED:
        # What it waited for may run again, or have succeeded after all.
        failure = blocked_by(job)
        return Verdict(failure, again=failure is None)
    failure = _failure(job, change)
    if failure.reason == TIMEOUT and may_retry(job, attempts):
        return Verdict(again=True)
    return Verdict(failure)


def may_retry(job: Job, attempts: int) -> bool:
    """Return whether a task whose time was up is run again.

    ``max_retries`` of N means N runs after the first one; only time-outs count.
    """
    job.runs += attempts
    return job.resumable and job.runs <= job.asked.max_retries


def _failure(job: Job, change: Change) -> Failure:
    written = job.last_failure()
    outcome = change.outcome or "failed"
    if outcome == _TIMED_OUT:
        return Failure(TIMEOUT, change.exit_status, "it did not end in time and was killed")
    if outcome == _CANCELLED:
        return Failure(_CANCELLED, change.exit_status, change.reason or "by hkill or hstop")
    if written is not None:
        return written
    if outcome == "succeeded":
        return Failure("missing", 0, f"{job.done_path} is not there, though it exited with 0")
    if outcome == FAILED:
        return Failure(FAILED, change.exit_status, _status_text(change))
    return Failure(outcome, change.exit_status, change.reason or _status_text(change))


def _status_text(change: Change) -> str:
    if change.signal is not None:
        return f"killed by signal {change.signal}" + (
            "; out of memory, perhaps" if change.signal == 9 else ""
        )
    return f"exit status {change.exit_status}" if change.exit_status is not None else ""
