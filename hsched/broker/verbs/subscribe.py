"""Answers ``subscribe``: how the chosen jobs stand, then every change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsched.broker.announcer import News
from hsched.broker.endpoint import Peer
from hsched.broker.store.rows import JobRow
from hsched.broker.verbs.verb import Verb
from hsched.core.model import (
    JobId,
    State,
    array_index,
    format_job_id,
    parse_job_id,
)
from hsched.errors import NoSuchJob
from hsched.wire.subscribe import Changes, SubscribeRequest

if TYPE_CHECKING:
    from hsched.broker.broker import Broker


def _subscribe(broker: Broker, request: SubscribeRequest, peer: Peer, key: str) -> Changes:
    announcer = broker.announcer
    wanted: list[JobId] | None = None
    if request.ids is None:
        changes, complete = announcer.since(request.since, request.epoch)
    else:
        wanted = [parse_job_id(word) for word in request.ids]
        changes = [one for identity in wanted for one in _standing(broker, identity)]
        complete = True
    announcer.subscribe(peer, key, wanted, request.arrivals)
    return announcer.page(changes, complete)


def _standing(broker: Broker, identity: JobId) -> list[News]:
    """Return how a job stands now, as a change with number 0; of an array, each element.

    Raises:
        NoSuchJob: this run never gave out the id.
    """
    job = broker.scheduler.find(identity)
    if job is not None:
        return [News(0, identity, job.state, None)]
    row = broker.store.job(broker.run.number, identity)
    if row is not None:
        return [News(0, identity, State.DONE, row.life.outcome_or_none())]
    found = []
    if array_index(identity) is None:
        found = broker.store.elements(broker.run.number, identity, "ORDER BY id")
    if not found:
        raise NoSuchJob(f"couldn't find job {format_job_id(identity)}")
    standing = [_of_element(broker, row) for row in found]
    whole = [] if broker.scheduler.has_members(identity) else [News(0, identity, State.DONE, None)]
    return standing + whole


def _of_element(broker: Broker, row: JobRow) -> News:
    job = broker.scheduler.find(row.given.id)
    if job is not None:
        return News(0, job.id, job.state, None)
    return News(0, row.given.id, State.DONE, row.life.outcome_or_none())


VERB = Verb(SubscribeRequest, _subscribe)
