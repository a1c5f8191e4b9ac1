"""Answers ``runs``: all runs of the scheduler."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from hsched.broker.endpoint import Peer
from hsched.broker.store import Store
from hsched.broker.verbs.verb import Verb
from hsched.core.model import Resource
from hsched.wire.runs import RunResource, RunsReply, RunsRequest, RunView

if TYPE_CHECKING:
    from hsched.broker.broker import Broker


def all_runs(store: Store) -> RunsReply:
    """Return every run that the store knows."""
    return RunsReply(
        runs=tuple(
            RunView(
                name=run.name,
                started_at=started,
                ended_at=ended,
                resources=_resources(run.resources),
            )
            for run, started, ended in store.runs()
        )
    )


def _resources(resources: Iterable[Resource]) -> tuple[RunResource, ...]:
    return tuple(
        RunResource(name=one.name, total=one.capacity, numbered=one.numbered, unit=one.unit)
        for one in resources
    )


def _runs(broker: Broker, _request: RunsRequest, _peer: Peer, _key: str) -> RunsReply:
    return all_runs(broker.store)


VERB = Verb(RunsRequest, _runs)
