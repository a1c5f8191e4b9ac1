"""Answers ``update``: changes what pending jobs ask for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from hsched.broker import dependencies, newcomers, specs
from hsched.broker.dependencies import Batch
from hsched.broker.endpoint import Peer
from hsched.broker.ledger import spec_of
from hsched.broker.selection import choose, chosen
from hsched.broker.verbs.verb import Verb
from hsched.core.events import UpdateAsked
from hsched.core.model import Dependency, JobId, State, format_job_id
from hsched.core.spec import parse_request
from hsched.errors import Refused
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
    broker.engine.check_update(request.priority)
    ids = choose(broker, request, (State.PENDING,))
    among = Batch({}, frozenset())
    edges = None
    if request.dependencies is not None:
        edges = dependencies.resolve_all(broker, request.dependencies, among)
    amounts = None
    if request.slots is not None:
        amounts = parse_request(request.slots, broker.scheduler.resources)
        _check_no_whole_devices(broker, ids)
    event = UpdateAsked(
        job_ids=ids,
        priority=request.priority,
        request=amounts,
        time_limit_s=request.time_limit,
        no_time_limit=request.no_time_limit,
        dependencies=edges,
        finished=among.finished,
    )
    broker.apply(event)
    broker.store.begin()
    _write(broker, ids, _changes(request), edges)
    return chosen(ids)


def _check_no_whole_devices(broker: Broker, ids: Iterable[JobId]) -> None:
    """Check that slots say all that the jobs ask for, but for shares of devices.

    Raises:
        Refused: one was submitted with ``--min-devices`` alone, which asks for whole ones.
    """
    for one in ids:
        row = broker.store.job(broker.run.number, one)
        assert row is not None, "a live job has a row"
        spec = spec_of(row)
        if spec.min_devices and not (spec.device_memory or spec.device_share):
            raise Refused(
                f"job {format_job_id(one)} asks for {spec.min_devices} devices besides its "
                "slots, which cannot be changed apart; submit it anew"
            )


def _changes(request: UpdateRequest) -> dict[str, Any]:
    fields = {"priority": request.priority, "slots": request.slots}
    changes: dict[str, Any] = {name: value for name, value in fields.items() if value is not None}
    if request.time_limit is not None or request.no_time_limit:
        changes["time_limit"] = None if request.no_time_limit else request.time_limit
    return changes


def _write(
    broker: Broker,
    ids: Iterable[JobId],
    changes: dict[str, Any],
    edges: tuple[Dependency, ...] | None,
) -> None:
    """Write what the jobs ask for now, so that `hrerun` asks for the same."""
    for one in ids:
        row = broker.store.job(broker.run.number, one)
        assert row is not None, "a live job has a row"
        given = row.given
        if edges is not None:
            words = tuple(f"{e.condition.value}:{format_job_id(e.upstream)}" for e in edges)
            changes = {**changes, "dependencies": words}
            given = given._replace(depends_on=newcomers.edges_text(edges))
        spec = JobSpec(**{**spec_of(row).as_dict(), **changes})
        broker.store.write_given(given._replace(spec=to_json(spec).decode()))


VERB = Verb(UpdateRequest, _update, changes=True)
