"""Answers ``resume``: continues suspended jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsched.broker.endpoint import Peer
from hsched.broker.selection import choose, chosen
from hsched.broker.verbs.verb import Verb
from hsched.core.events import ResumeAsked
from hsched.core.model import State
from hsched.wire.choice import Chosen
from hsched.wire.resume import ResumeRequest

if TYPE_CHECKING:
    from hsched.broker.broker import Broker


def _resume(broker: Broker, request: ResumeRequest, _peer: Peer, _key: str) -> Chosen:
    ids = choose(broker, request, (State.RUNNING,))
    broker.apply(ResumeAsked(ids))
    return chosen(ids)


VERB = Verb(ResumeRequest, _resume, changes=True)
