"""Answers ``subscribe``: how the chosen jobs stand, then every change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hsched.broker.announcer import change
from hsched.broker.endpoint import Peer
from hsched.broker.selection import known, of_id
from hsched.broker.verbs.verb import Verb
from hsched.core.model import JobId, State, parse_job_id
from hsched.errors import NoSuchJob
from hsched.wire.subscribe import Change, Changes, SubscribeRequest

if TYPE_CHECKING:
    from hsched.broker.broker import Broker


def _subscribe(broker: Broker, request: SubscribeRequest, peer: Peer, key: str) -> Changes:
    announcer = broker.announcer
    if request.ids is None:
        changes, complete = announcer.since(request.since, request.epoch)
    else:
        wanted = [parse_job_id(word) for word in request.ids]
        for identity, word in zip(wanted, request.ids, strict=True):
            if not known(broker, identity):
                raise NoSuchJob(f"couldn't find job {word}")
        changes = [one for identity in wanted for one in _standing(broker, identity)]
        complete = True
    announcer.subscribe(peer, key, request.ids)
    return announcer.page(changes, complete)


def _standing(broker: Broker, identity: JobId) -> Iterator[Change]:
    """Yield how a job stands now, as a change with number 0."""
    live = of_id(broker, identity)
    for one in sorted(live):
        yield change(0, one, broker.scheduler.job(one).state, None)
    if not live:
        row = broker.store.job(broker.run.number, identity)
        outcome = None if row is None else row.life.outcome_or_none()
        yield change(0, identity, State.DONE, outcome)


VERB = Verb(SubscribeRequest, _subscribe)
