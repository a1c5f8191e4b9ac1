"""Answers ``update``: changes what pending jobs ask for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from hsched.broker import dependencies, newcomers, specs
from hsched.broker.dependencies import Batch
from hsched.broker.endpoint import Peer
from hsched.broker.ledger import spec_of
from hsched.broker.selection import choose, chosen
from hsched.broker.store.rows import JobRow
from hsched.broker.verbs.verb import Verb
from hsched.core.events import UpdateAsked
from hsched.core.model import Dependency, JobId, Request, State, format_job_id
from hsched.wire.choice import Chosen
from hsched.wire.message import to_json
from hsched.wire.submit import JobSpec
from hsched.wire.update import UpdateRequest

if TYPE_CHECKING:
    from hsched.broker.broker import Broker


def _update(broker: Broker, request: UpdateRequest, _peer: Peer, _key: str) -> Chosen:
    newcomers.check_run(broker, request.run, bool(request.dependencies))
    specs.check_priority(request.priority or 0)
    specs.check_limit(request.time_limit)
    ids = choose(broker, request, (State.PENDING,))
    broker.engine.check_update(ids, request)
    among = Batch({}, frozenset())
    edges = None
    if request.dependencies is not None:
        edges = dependencies.resolve_all(broker, request.dependencies, among)
    changes = _changes(request)
    event = UpdateAsked(
        job_ids=ids,
        priority=request.priority,
        requests=_requests(broker, ids, changes),
        time_limit_s=request.time_limit,
        no_time_limit=request.no_time_limit,
        dependencies=edges,
        finished=among.finished,
    )
    broker.apply(event)
    broker.store.begin()
    _write(broker, ids, changes, edges)
    return chosen(ids)


def _changes(request: UpdateRequest) -> dict[str, Any]:
    """Return what is to be changed, as fields of a spec."""
    names = ("priority", "slots", "min_devices", "device_memory", "device_share")
    fields = {name: getattr(request, name) for name in names}
    changes = {name: value for name, value in fields.items() if value is not None}
    if changes.keys() & {"device_memory", "device_share"}:
        changes = {"device_memory": 0, "device_share": 0.0, **changes}
    if request.time_limit is not None or request.no_time_limit:
        changes["time_limit"] = None if request.no_time_limit else request.time_limit
    return changes


def _requests(
    broker: Broker, ids: Iterable[JobId], changes: dict[str, Any]
) -> dict[JobId, Request]:
    """Return what each of the jobs asks for with the changes; empty where that is as it was.

    Raises:
        WrongUsage: a word or number makes no sense.
    """
    if not changes.keys() & {"slots", "min_devices", "device_memory", "device_share"}:
        return {}
    resources, sharing = broker.scheduler.resources, broker.scheduler.sharing
    found = {}
    for one in ids:
        spec = JobSpec(**{**spec_of(_row(broker, one)).as_dict(), **changes})
        specs.check_devices(spec)
        found[one] = specs.request(spec, resources, sharing)
    return found


def _row(broker: Broker, identity: JobId) -> JobRow:
    row = broker.store.job(broker.run.number, identity)
    assert row is not None, "a live job has a row"
    return row


def _write(
    broker: Broker,
    ids: Iterable[JobId],
    changes: dict[str, Any],
    edges: tuple[Dependency, ...] | None,
) -> None:
    """Write what the jobs ask for now, so that `hrerun` asks for the same."""
    for one in ids:
        row = _row(broker, one)
        given = row.given
        if edges is not None:
            words = tuple(f"{e.condition.value}:{format_job_id(e.upstream)}" for e in edges)
            changes = {**changes, "dependencies": words}
            given = given._replace(depends_on=newcomers.edges_text(edges))
        spec = JobSpec(**{**spec_of(row).as_dict(), **changes})
        broker.store.write_given(given._replace(spec=to_json(spec).decode()))


VERB = Verb(UpdateRequest, _update, changes=True)
