"""Answers ``subscribe``: how the chosen jobs stand, then every change."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from hsched.broker.announcer import News
from hsched.broker.endpoint import Peer
from hsched.broker.store import Store
from hsched.broker.store.rows import JobRow
from hsched.broker.verbs.verb import Verb
from hsched.core.model import (
    JobId,
    Outcome,
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
    announcer.subscribe(peer, key, wanted, arrivals=request.arrivals, ends=request.ends)
    return announcer.page(changes, complete)


def as_stored(store: Store, run: int, words: Iterable[str]) -> Changes:
    """Return how jobs of a run stand as the store has it, where there is no broker.

    Raises:
        NoSuchJob: the run never gave out an id.
    """
    found: list[News] = []
    for identity in map(parse_job_id, words):
        rows = _rows(store, run, identity)
        found += (News(0, row.given.id, State(row.life.state), _outcome(row)) for row in rows)
        if _is_array(rows, identity) and all(row.life.state == State.DONE.value for row in rows):
            found.append(News(0, identity, State.DONE, None))
    return Changes(epoch="", upto=0, changes=tuple(one.message() for one in found))


def _standing(broker: Broker, identity: JobId) -> list[News]:
    """Return how a job stands now, as a change with number 0; of an array, each element.

    Raises:
        NoSuchJob: this run never gave out the id.
    """
    job = broker.scheduler.find(identity)
    if job is not None:
        return [News(0, identity, job.state, None)]
    rows = _rows(broker.store, broker.run.number, identity)
    standing = [_of_row(broker, row) for row in rows]
    if _is_array(rows, identity) and not broker.scheduler.has_members(identity):
        standing.append(News(0, identity, State.DONE, None))
    return standing


def _rows(store: Store, run: int, identity: JobId) -> list[JobRow]:
    """Return the row of a job, or those of the elements of an array.

    Raises:
        NoSuchJob: there is none.
    """
    row = store.job(run, identity)
    if row is not None:
        return [row]
    found = []
    if array_index(identity) is None:
        found = store.elements(run, identity, "ORDER BY id")
    if not found:
        raise NoSuchJob(f"couldn't find job {format_job_id(identity)}")
    return found


def _is_array(rows: list[JobRow], identity: JobId) -> bool:
    return rows[0].given.id != identity


def _of_row(broker: Broker, row: JobRow) -> News:
    job = broker.scheduler.find(row.given.id)
    if job is not None:
        return News(0, job.id, job.state, None)
    return News(0, row.given.id, State.DONE, _outcome(row))


def _outcome(row: JobRow) -> Outcome | None:
    return row.life.outcome_or_none()


VERB = Verb(SubscribeRequest, _subscribe)
