"""Answers ``status``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import hsched
from hsched.broker.endpoint import Peer
from hsched.broker.verbs.slots import resource_views
from hsched.broker.verbs.verb import Verb
from hsched.wire.frames import PROTOCOL_VERSION
from hsched.wire.status import StatusReply, StatusRequest

if TYPE_CHECKING:
    from hsched.broker.broker import Broker


def _status(broker: Broker, _request: StatusRequest, _peer: Peer, _key: str) -> StatusReply:
    scheduler = broker.scheduler
    return StatusReply(
        name=broker.place.name,
        run=broker.run.name,
        folder=broker.run_folder,
        pid=os.getpid(),
        version=hsched.__version__,
        protocol=PROTOCOL_VERSION,
        resources=resource_views(broker),
        jobs={
            "total": scheduler.live_count,
            "running": scheduler.running_count,
            "pending": scheduler.pending_count,
        },
        stopping=not broker.may_start,
        engine=broker.run.options.get("engine") or "local",
    )


VERB = Verb(StatusRequest, _status)
