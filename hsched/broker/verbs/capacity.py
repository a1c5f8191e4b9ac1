"""Answers ``capacity``: sets how many slots there are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hsched.broker.endpoint import Peer
from hsched.broker.verbs.slots import resource_views
from hsched.broker.verbs.verb import Verb
from hsched.core.events import CapacitySet
from hsched.core.spec import parse_totals
from hsched.wire.capacity import CapacityRequest
from hsched.wire.slots import SlotsReply

if TYPE_CHECKING:
    from hsched.broker.broker import Broker


def _capacity(broker: Broker, request: CapacityRequest, _peer: Peer, _key: str) -> SlotsReply:
    broker.engine.refuse("hnslots set")
    totals = parse_totals(request.spec, broker.scheduler.resources)
    broker.apply(CapacitySet(totals))
    broker.change_run(replace(broker.run, resources=broker.scheduler.resources))
    broker.announcer.note_slots()
    return SlotsReply(resources=resource_views(broker))


VERB = Verb(CapacityRequest, _capacity, changes=True)
