"""Answers ``suspend``: stops running jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsched.broker.endpoint import Peer
from hsched.broker.selection import choose, chosen
from hsched.broker.verbs.verb import Verb
from hsched.core.events import SuspendAsked
from hsched.core.model import State
from hsched.wire.choice import Chosen
from hsched.wire.suspend import SuspendRequest

if TYPE_CHECKING:
    from hsched.broker.broker import Broker


def _suspend(broker: Broker, request: SuspendRequest, _peer: Peer, _key: str) -> Chosen:
    ids = choose(broker, request, (State.RUNNING,))
    broker.apply(SuspendAsked(ids))
    return chosen(ids)


VERB = Verb(SuspendRequest, _suspend, changes=True)
