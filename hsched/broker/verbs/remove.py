"""Answers ``remove``: takes jobs off the list of tasks, and pending ones out of the queue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hsched.broker.endpoint import Peer
from hsched.broker.store.rows import JobRow
from hsched.broker.verbs.verb import Verb
from hsched.core.events import CancelAsked
from hsched.core.model import JobId, State, format_job_id, parse_job_id
from hsched.errors import NoSuchJob, Refused
from hsched.wire.choice import Chosen
from hsched.wire.remove import REMOVED, RemoveRequest

if TYPE_CHECKING:
    from hsched.broker.broker import Broker


def _remove(broker: Broker, request: RemoveRequest, _peer: Peer, _key: str) -> Chosen:
    rows = [_row(broker, parse_job_id(word)) for word in request.ids]
    pending = tuple(row.given.id for row in rows if row.life.state != State.DONE.value)
    broker.store.begin()
    if pending:
        broker.apply(CancelAsked(pending, None, "removed"))
    for row in rows:
        labels = dict.fromkeys([*json.loads(row.given.labels), REMOVED])
        broker.store.write_given(row.given._replace(labels=json.dumps(list(labels))))
    return Chosen(ids=request.ids)


def _row(broker: Broker, job_id: JobId) -> JobRow:
    row = broker.store.job(broker.run.number, job_id)
    if row is None:
        raise NoSuchJob(f"couldn't find job {format_job_id(job_id)}")
    live = broker.scheduler.find(job_id)
    if live is not None and live.state is not State.PENDING:
        raise Refused(f"job {format_job_id(job_id)} is {live.state.value}; kill it first")
    return row


VERB = Verb(RemoveRequest, _remove, changes=True)
