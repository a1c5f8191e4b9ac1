"""Answers ``slots``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsched.broker.endpoint import Peer
from hsched.broker.verbs.verb import Verb
from hsched.wire.slots import ResourceView, SlotsReply, SlotsRequest

if TYPE_CHECKING:
    from hsched.broker.broker import Broker


def resource_views(broker: Broker) -> tuple[ResourceView, ...]:
    """Return the resources as they stand."""
    scheduler = broker.scheduler
    views = []
    standing = zip(
        scheduler.resources, scheduler.held, scheduler.free, scheduler.drained, strict=True
    )
    for resource, held, free, drained in standing:
        views.append(
            ResourceView(
                name=resource.name,
                numbered=resource.numbered,
                unit=resource.unit,
                total=resource.capacity,
                used=held,
                free=free,
                drained=drained,
            )
        )
    return tuple(views)


def _slots(broker: Broker, _request: SlotsRequest, _peer: Peer, _key: str) -> SlotsReply:
    return SlotsReply(resources=resource_views(broker))


VERB = Verb(SlotsRequest, _slots)
