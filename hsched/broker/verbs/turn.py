"""Answers ``turn``: tells a hrun when its job holds its slots, or will never."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsched.broker.endpoint import Peer
from hsched.broker.verbs.verb import Verb
from hsched.core.model import parse_job_id
from hsched.errors import NoSuchJob, Refused
from hsched.wire.run import TurnReply, TurnRequest

if TYPE_CHECKING:
    from hsched.broker.broker import Broker


def _turn(broker: Broker, request: TurnRequest, peer: Peer, key: str) -> TurnReply | None:
    identity = parse_job_id(request.id)
    if broker.scheduler.find(identity) is not None:
        if not broker.foreground.is_run_by(identity, peer.pid):
            raise Refused(f"job {request.id} is not run by process {peer.pid}")
        broker.foreground.wait_for_turn(identity, peer, key)
        return None
    row = broker.store.job(broker.run.number, identity)
    if row is None:
        raise NoSuchJob(f"couldn't find job {request.id}")
    return TurnReply(go=False, outcome=row.life.outcome, reason=row.life.reason or None)


VERB = Verb(TurnRequest, _turn)
