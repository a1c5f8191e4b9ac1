"""Answers ``finish``: a hrun tells how its command ended, and hears how the job did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsched.broker.endpoint import Peer
from hsched.broker.outcomes import Used, spawn_failed
from hsched.broker.verbs.verb import Verb
from hsched.core.events import Ended
from hsched.core.model import Outcome, OutcomeKind, State, parse_job_id
from hsched.errors import NoSuchJob, Refused, WrongUsage
from hsched.wire.run import FinishReply, FinishRequest

if TYPE_CHECKING:
    from hsched.broker.broker import Broker


def _finish(broker: Broker, request: FinishRequest, peer: Peer, _key: str) -> FinishReply:
    identity = parse_job_id(request.id)
    outcome = _outcome(request)
    job = broker.scheduler.find(identity)
    if job is None:
        return _as_stored(broker, request)
    is_ours = broker.foreground.is_run_by(identity, peer.pid)
    is_unseen = broker.engine.is_remote and job.started is None
    had_turn = not broker.foreground.waits(identity) if is_unseen else job.state != State.PENDING
    if not (is_ours and had_turn):
        raise Refused(f"job {request.id} is not run by process {peer.pid}")
    if is_unseen:  # it was over before anybody had looked, or Slurm did not want it
        broker.engine.had_turn(identity)
    verdict = job.verdict
    peak = request.peak_memory_bytes
    used = Used(request.cpu_s, peak, None if peak is None else "process", None, request.tree_left)
    broker.ledger.measured(identity, used)
    broker.apply(Ended(identity, outcome))
    if verdict is not None:
        return FinishReply(outcome=verdict.kind.value, reason=verdict.reason or None)
    return FinishReply(outcome=outcome.kind.value, reason=outcome.reason or None)


def _outcome(request: FinishRequest) -> Outcome:
    """Return how the command ended.

    Raises:
        WrongUsage: the request does not tell.
    """
    if request.errno is not None:
        return spawn_failed(request.errno, "its command")
    if request.signal is not None:
        return Outcome(OutcomeKind.SIGNALLED, signal=request.signal)
    if request.exit_status is None:
        raise WrongUsage("finish: neither an exit status nor a signal nor an errno")
    kind = OutcomeKind.FAILED if request.exit_status else OutcomeKind.SUCCEEDED
    return Outcome(kind, exit_status=request.exit_status)


def _as_stored(broker: Broker, request: FinishRequest) -> FinishReply:
    """Return how a job ended of which the scheduler knows nothing any more."""
    row = broker.store.job(broker.run.number, parse_job_id(request.id))
    if row is None or row.life.outcome is None:
        raise NoSuchJob(f"couldn't find job {request.id}")
    return FinishReply(outcome=row.life.outcome, reason=row.life.reason or None)


VERB = Verb(FinishRequest, _finish, changes=True)
