"""When a dependency is met, and when it never can be.

``after`` is met when the upstream has started, or is done however it ended
(cancelled while it was pending included).  ``afterok`` on an array is lost with
its first element that did not succeed; ``afternotok`` is decided when all are done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hsched.core.model import (
    Condition,
    JobId,
    Outcome,
    OutcomeKind,
    array_index,
    format_job_id,
    job_id,
    job_number,
)

_CLAUSES = {
    OutcomeKind.SUCCEEDED: "succeeded",
    OutcomeKind.FAILED: "failed (exit status {0.exit_status})",
    OutcomeKind.SIGNALLED: "was ended by signal {0.signal}",
    OutcomeKind.TIMED_OUT: "timed out",
    OutcomeKind.CANCELLED: "was cancelled",
    OutcomeKind.DEPENDENCY_FAILED: "never ran (dependency failed)",
    OutcomeKind.SPAWN_FAILED: "could not be spawned",
    OutcomeKind.LOST: "was lost",
}


def clause(identity: JobId, outcome: Outcome) -> str:
    """Return how a job ended, as a clause: ``job 3 failed (exit status 1)``."""
    return f"job {format_job_id(identity)} {_CLAUSES[outcome.kind].format(outcome)}"


@dataclass(frozen=True, slots=True)
class Standing:
    """What dependants must know of an upstream job, or of an array as a whole."""

    started: bool
    done: bool
    #: Who did not succeed, in a clause; empty where nobody is known.
    failure: str = ""


def judge(condition: Condition, upstream: Standing) -> bool | None:
    """Return whether ``condition`` is met; None while that is open."""
    if condition is Condition.AFTEROK and upstream.failure:
        return False
    if condition is Condition.AFTER and upstream.started:
        return True
    if not upstream.done:
        return None
    return bool(upstream.failure) if condition is Condition.AFTERNOTOK else True


def why_lost(condition: Condition, upstream: JobId, standing: Standing) -> str:
    """Return the reason of a dependant that can never run."""
    return f"{condition.value}: {standing.failure or f'job {format_job_id(upstream)} succeeded'}"


def standings(finished: Mapping[JobId, Outcome]) -> dict[JobId, Standing]:
    """Return how done jobs stand, and their arrays, as far as their elements are there."""
    past: dict[JobId, Standing] = {}
    for identity, outcome in sorted(finished.items()):
        failure = "" if outcome.succeeded else clause(identity, outcome)
        past[identity] = Standing(True, True, failure)
        if array_index(identity) is not None:
            whole = job_id(job_number(identity))
            known = past.get(whole)
            past[whole] = Standing(True, True, (known.failure if known else "") or failure)
    return past
