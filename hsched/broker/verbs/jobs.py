"""Answers ``jobs``: a page of the queue or of history, from the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hsched.broker.endpoint import Peer
from hsched.broker.selection import meaning
from hsched.broker.verbs.verb import Verb
from hsched.broker.views import Viewer
from hsched.core.model import parse_job_id
from hsched.errors import NoSuchJob, WrongUsage
from hsched.wire.jobs import JobsReply, JobsRequest

if TYPE_CHECKING:
    from hsched.broker.broker import Broker

_MAX_PAGE = 1000
_SCOPES = {
    "live": "state <> 'done'",
    "done": "state = 'done'",
    "failed": "state = 'done' AND outcome <> 'succeeded'",
    "all": "1",
}


def page(viewer: Viewer, request: JobsRequest) -> JobsReply:
    """Return the page of jobs that ``request`` asks for.

    Raises:
        WrongUsage: there is no such scope.
        NoSuchJob: its words fit no job.
    """
    if request.scope not in _SCOPES:
        raise WrongUsage(f"scope {request.scope}: one of {', '.join(_SCOPES)}")
    where, values = _condition(viewer, request)
    limit = max(1, min(request.limit, _MAX_PAGE))
    if request.last is not None:
        limit = max(0, min(request.last, _MAX_PAGE))
        rows = viewer.store.select_jobs(where, values, f"ORDER BY id DESC LIMIT {limit}")[::-1]
    else:
        rows = viewer.store.select_jobs(where, values, f"ORDER BY id LIMIT {limit + 1}")
    if not rows and request.words and request.after is None:
        raise NoSuchJob(f"no such job found: {' '.join(request.words)}")
    views = [viewer.view(row) for row in rows[:limit]]
    last = views[-1].id if views else None
    if request.states:
        views = [view for view in views if view.state in request.states]
    return JobsReply(jobs=tuple(views), more=len(rows) > limit, last=last)


def _jobs(broker: Broker, request: JobsRequest, _peer: Peer, _key: str) -> JobsReply:
    run, scheduler = broker.run, broker.scheduler
    use = broker.devices.use_so_far
    viewer = Viewer(
        place=broker.place,
        run=run,
        store=broker.store,
        scheduler=scheduler,
        wall=broker.wall,
        device_use=use,
        engine=broker.engine,
        record_of=broker.shims.record_of,
    )
    if request.run is not None and request.run != run.name:
        viewer = older(viewer, request.run)
    return page(viewer, request)


def older(viewer: Viewer, name: str) -> Viewer:
    """Return the viewer of the run called ``name``.

    Raises:
        NoSuchJob: there is no such run.
    """
    run = viewer.store.run_named(name)
    if run is None:
        raise NoSuchJob(f"scheduler {viewer.place.name} has no run {name}")
    return replace(viewer, run=run, scheduler=None, engine=None)


def _condition(viewer: Viewer, request: JobsRequest) -> tuple[str, Sequence[Any]]:
    run = viewer.run.number
    parts = ["run = ?", _SCOPES[request.scope]]
    values: list[Any] = [run]
    if request.words:
        last = viewer.store.last_job_number(run)
        meant = [meaning(word, last) for word in request.words]
        parts.append("(" + " OR ".join(one.condition for one in meant) + ")")
        values += [value for one in meant for value in one.values]
    if request.states and not request.words and request.last is None:
        # Else the words, or the newest, are chosen first, and the states are looked at then.
        parts.append(_roughly(request.states))
    if request.after is not None:
        parts.append("id > ?")
        values.append(parse_job_id(request.after))
    return " AND ".join(parts), values


def _roughly(states: Sequence[str]) -> str:
    """Return a condition that holds for all jobs in these states, and few others.

    The store knows which jobs are pending and which are done; only the core knows in which of
    the states between them a job is, since not each of its steps is worth a commit.
    """
    exact = [f"state = '{state}'" for state in ("pending", "done") if state in states]
    between = ["state NOT IN ('pending', 'done')"] if set(states) - {"pending", "done"} else []
    return f"({' OR '.join(exact + between)})"


VERB = Verb(JobsRequest, _jobs)
