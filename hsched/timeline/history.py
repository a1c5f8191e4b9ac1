"""A schedule out of a scheduler's history, asked of a client as any script may."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from hsched import paths
from hsched.client import AsyncClient, Client
from hsched.errors import NotRunning
from hsched.timeline.schedule import Period, Schedule, meters_of, stay_of
from hsched.wire.jobs import JobView
from hsched.wire.runs import RunView
from hsched.wire.slots import ResourceView


def read(client: Client, last: float) -> Schedule:
    """Return what the scheduler did in the ``last`` seconds, also where it was stopped.

    Raises:
        NotRunning: it never ran.
        HschedError: its history cannot be read.
    """
    runs = _within(client.runs(), last)
    views = [view for run in runs for view in client.jobs(scope="all", run=run.name)]
    try:
        resources = client.slots()
    except NotRunning:
        resources = ()
    return _schedule(client.name, last, runs, views, resources)


async def read_live(client: AsyncClient, last: float) -> Schedule:
    """Return the same with a client for asyncio."""
    runs = _within(await client.runs(), last)
    views = [view for run in runs async for view in client.jobs(scope="all", run=run.name)]
    try:
        resources = await client.slots()
    except NotRunning:
        resources = ()
    return _schedule(client.name, last, runs, views, resources)


def _within(runs: Iterable[RunView], last: float) -> list[RunView]:
    since = time.time() - last
    return [run for run in runs if run.ended_at is None or run.ended_at >= since]


def _schedule(
    scheduler: str,
    last: float,
    runs: Sequence[RunView],
    views: Sequence[JobView],
    resources: Sequence[ResourceView],
) -> Schedule:
    now = time.time()
    found = [stay for stay in map(stay_of, views) if stay is not None]
    stays = tuple(stay for stay in found if stay.ended is None or stay.ended >= now - last)
    return Schedule(
        scheduler=scheduler,
        host=paths.host(),
        meters=meters_of(runs, stays, resources),
        stays=stays,
        periods=tuple(Period(run.name, run.started_at, run.ended_at) for run in runs),
        now=now,
    )
