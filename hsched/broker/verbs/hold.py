"""Answers ``hold``: keeps pending jobs from starting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsched.broker.endpoint import Peer
from hsched.broker.selection import choose, chosen
from hsched.broker.verbs.verb import Verb
from hsched.core.events import HoldAsked
from hsched.core.model import State
from hsched.wire.choice import Chosen
from hsched.wire.hold import HoldRequest

if TYPE_CHECKING:
    from hsched.broker.broker import Broker


def _hold(broker: Broker, request: HoldRequest, _peer: Peer, _key: str) -> Chosen:
    ids = choose(broker, request, (State.PENDING,))
    broker.apply(HoldAsked(ids))
    return chosen(ids)


VERB = Verb(HoldRequest, _hold, changes=True)
