"""Answers ``runs``: all runs of the scheduler."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsched.broker.endpoint import Peer
from hsched.broker.store import Store
from hsched.broker.verbs.verb import Verb
from hsched.wire.runs import RunsReply, RunsRequest, RunView

if TYPE_CHECKING:
    from hsched.broker.broker import Broker


def all_runs(store: Store) -> RunsReply:
    """Return every run that the store knows."""
    return RunsReply(
        runs=tuple(
            RunView(name=name, started_at=started, ended_at=ended)
            for name, started, ended in store.runs()
        )
    )


def _runs(broker: Broker, _request: RunsRequest, _peer: Peer, _key: str) -> RunsReply:
    return all_runs(broker.store)


VERB = Verb(RunsRequest, _runs)
