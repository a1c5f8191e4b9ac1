"""Slurm's words for the state of a job, and what they mean here.  Pure."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum

from hsched.core.model import Outcome, OutcomeKind
from hsched.slurm.answers import Told


class Phase(Enum):
    """Where a job stands in Slurm, as far as it matters here."""

    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"


_WAITING = frozenset(
    {"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD"}
    | {"SPECIAL_EXIT"}
)
_RUNNING = frozenset(
    {"RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT", "RESIZING"}
)

#: What some of Slurm's reasons mean for who reads them.
_HINTS = {
    "PartitionTimeLimit": "it asks for more time than the partition allows",
    "PartitionNodeLimit": "it asks for more nodes than the partition has",
    "PartitionConfig": "no node of the partition has what it asks for",
    "PartitionDown": "the partition is closed",
    "PartitionInactive": "the partition is closed",
    "BadConstraints": "no node can ever have what it asks for",
    "JobHeldAdmin": "an administrator of Slurm holds it",
    "JobHeldUser": "held in Slurm; `scontrol release` lets it go",
    "DependencyNeverSatisfied": "what it waits for can never be",
    "ReqNodeNotAvail": "the nodes that it asks for are down or reserved",
    "Resources": "it waits for nodes to be free",
    "Priority": "others come first",
    "BeginTime": "its time has not come",
}

_CANCELLED = {
    "CANCELLED": "cancelled in Slurm",
    "PREEMPTED": "preempted by another job of Slurm",
    "REVOKED": "revoked by Slurm",
}
_TIMED_OUT = {
    "TIMEOUT": "by Slurm's limit",
    "DEADLINE": "its deadline in Slurm has passed",
}
_LOST = {"NODE_FAIL": "its node failed", "BOOT_FAIL": "its node did not boot"}
_KILL = 9


def phase(state: str) -> Phase:
    """Return where a job in a state of Slurm stands."""
    if state in _WAITING:
        return Phase.WAITING
    return Phase.RUNNING if state in _RUNNING else Phase.ENDED


def is_cancelled(state: str) -> bool:
    """Whether somebody, or Slurm itself, has ended the job."""
    return state in _CANCELLED or state in _TIMED_OUT


def reason(word: str) -> str:
    """Return a reason of Slurm with what it means, where that is known."""
    hint = _HINTS.get(word)
    return f"{word} ({hint})" if hint else word


def never_ran(state: str, why: str) -> Outcome:
    """Return how a job ended that left Slurm's queue without a start."""
    if state in _CANCELLED:
        return Outcome(OutcomeKind.CANCELLED, reason=_CANCELLED[state])
    if state in _TIMED_OUT:
        return Outcome(OutcomeKind.TIMED_OUT, reason=_TIMED_OUT[state])
    return Outcome(OutcomeKind.SPAWN_FAILED, reason=f"Slurm: {state}, {reason(why)}")


def outcome(told: Told, recorded: Outcome | None, where: str) -> Outcome:
    """Return how a job ended that ran.

    ``recorded`` is what its record on the node says, None where it says nothing; then
    ``where`` names what may tell more.  Who was ended by Slurm did not end by itself,
    whatever its status.
    """
    state = told.state
    base = recorded or Outcome(OutcomeKind.LOST, told.exit_status, told.signal)
    if state in _CANCELLED:
        return replace(base, kind=OutcomeKind.CANCELLED, errno=None, reason=_CANCELLED[state])
    if state in _TIMED_OUT:
        return replace(base, kind=OutcomeKind.TIMED_OUT, errno=None, reason=_TIMED_OUT[state])
    if state == "OUT_OF_MEMORY":
        base = recorded or Outcome(OutcomeKind.SIGNALLED, signal=told.signal or _KILL)
        return replace(base, reason="out of memory, says Slurm")
    if recorded is not None:
        return recorded
    if state in _LOST:
        return Outcome(OutcomeKind.LOST, reason=_LOST[state])
    return _by_slurm_alone(told, where)


def _by_slurm_alone(told: Told, where: str) -> Outcome:
    if told.signal:
        return Outcome(
            OutcomeKind.SIGNALLED, signal=told.signal, reason="by Slurm's word; it left no record"
        )
    if told.exit_status == 0 and told.state == "COMPLETED":
        return Outcome(OutcomeKind.LOST, reason=f"it left no record on its node; see {where}")
    reason = f"Slurm: {told.state}, and it left no record; does its node see {where}?"
    return Outcome(OutcomeKind.SPAWN_FAILED, reason=reason)
