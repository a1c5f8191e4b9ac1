"""Answers ``stop``: ends the run and the broker."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from hsched.broker.endpoint import Peer
from hsched.broker.verbs.verb import Verb
from hsched.core.events import CancelAsked, StartsStopped
from hsched.errors import Refused
from hsched.wire.stop import StopReply, StopRequest

if TYPE_CHECKING:
    from hsched.broker.broker import Broker


def _stop(broker: Broker, request: StopRequest, peer: Peer, key: str) -> StopReply | None:
    scheduler = broker.scheduler
    if request.drain:
        return _drain(broker)
    if scheduler.live_count and not request.force:
        raise Refused(
            f"jobs are still queued: {scheduler.running_count} running, "
            f"{scheduler.pending_count} pending; `hstop --force` cancels them, "
            "`hstop --drain` lets those end that run"
        )
    broker.stop_request = (peer, key)
    broker.apply(StartsStopped())
    broker.announcer.note_slots()
    ids = tuple(job.id for job in scheduler.live())
    if ids:
        broker.apply(CancelAsked(ids, request.grace, "hstop --force"))
    broker.store.begin()  # an idle scheduler has nothing else to commit, and must end too
    return None


def _drain(broker: Broker) -> StopReply:
    broker.apply(StartsStopped())
    broker.announcer.note_slots()
    broker.change_run(replace(broker.run, options={**broker.run.options, "draining": True}))
    scheduler = broker.scheduler
    return StopReply(
        folder=broker.run_folder,
        running=scheduler.running_count,
        pending=scheduler.pending_count,
        asks=broker.engine.is_remote and scheduler.live_count > 0,
    )


def finish(broker: Broker, peer: Peer, key: str) -> None:
    """End the run in the store and answer who asked; the last thing a broker does."""
    broker.store.end_run(broker.run.number, broker.wall)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(broker.place.address)
    broker.reply(peer, key, VERB, StopReply(folder=broker.run_folder))


VERB = Verb(StopRequest, _stop, changes=True)
