"""Answers ``release``: lets held jobs start again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsched.broker.endpoint import Peer
from hsched.broker.selection import choose, chosen
from hsched.broker.verbs.verb import Verb
from hsched.core.events import ReleaseAsked
from hsched.core.model import State
from hsched.wire.choice import Chosen
from hsched.wire.release import ReleaseRequest

if TYPE_CHECKING:
    from hsched.broker.broker import Broker


def _release(broker: Broker, request: ReleaseRequest, _peer: Peer, _key: str) -> Chosen:
    ids = choose(broker, request, (State.PENDING,))
    broker.apply(ReleaseAsked(ids))
    return chosen(ids)


VERB = Verb(ReleaseRequest, _release, changes=True)
