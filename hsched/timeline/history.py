"""A schedule out of a scheduler's history, asked of a client as any script may."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence

from hsched import paths
from hsched.client import AsyncClient, Client
from hsched.errors import NotRunning
from hsched.timeline.schedule import Period, Schedule, Stay, meters_of, stay_of
from hsched.wire.jobs import JobView
from hsched.wire.runs import RunView
from hsched.wire.slots import ResourceView

#: So many jobs are asked for at a time; then the scheduler has as long for others.
_PIECE, _WORDS = 1000, 200


def read(client: Client, last: float) -> Schedule:
    """Return what the scheduler did in the ``last`` seconds, also where it was stopped.

    Raises:
        NotRunning: it never ran.
        HschedError: its history cannot be read.
    """
    runs = _within(client.runs(), last)
    views = (view for run in runs for view in client.jobs(scope="all", run=run.name))
    stays = [stay for stay in map(stay_of, views) if stay is not None]
    try:
        resources = client.slots()
    except NotRunning:
        resources = ()
    return _schedule(client.name, last, runs, stays, resources)


class Past:
    """History as it grows: what is done is asked for once, for it does not change."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._runs: dict[str, _Run] = {}
        self._turn = asyncio.Lock()

    async def read(self, last: float) -> Schedule:
        """Return what :func:`read` does."""
        async with self._turn:
            runs = _within(await self._client.runs(), last)
            for run in runs:
                known = self._runs.setdefault(run.name, _Run(run.name))
                # One that has ended may go on: `hstart --continue`.
                if run.ended_at is None or not known.is_over:
                    await known.catch_up(self._client)
                    known.is_over = run.ended_at is not None
            self._runs = {run.name: self._runs[run.name] for run in runs}
            try:
                resources = await self._client.slots()
            except NotRunning:
                resources = ()
            stays = [stay for run in runs for stay in self._runs[run.name].stays()]
        return _schedule(self._client.name, last, runs, stays, resources)


class _Run:
    """The jobs of one run."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._done: dict[str, Stay] = {}
        self._live: dict[str, Stay] = {}
        self._newest: str | None = None
        self.is_over = False

    def stays(self) -> list[Stay]:
        return [*self._done.values(), *self._live.values()]

    async def catch_up(self, client: AsyncClient) -> None:
        """Ask for jobs that have come in, and for those again that were not done."""
        before, self._live = self._live, {}
        try:
            if before:
                live = client.jobs(scope="live", run=self._name)
                self._take([one async for one in _gently(live)])
        except NotRunning:
            pass  # history tells of each of them below
        async for view in _gently(client.jobs(scope="all", run=self._name, after=self._newest)):
            self._take([view])
            self._newest = view.id
        missing = [one for one in before if one not in self._live]
        for first in range(0, len(missing), _WORDS):
            words = missing[first : first + _WORDS]
            self._take([one async for one in client.jobs(*words, scope="all", run=self._name)])

    def _take(self, views: Iterable[JobView]) -> None:
        for view in views:
            stay = stay_of(view)
            if stay is not None and stay.is_live:
                self._live[view.id] = stay
            elif stay is not None:
                self._live.pop(view.id, None)
                self._done[view.id] = stay


async def _gently(views: AsyncIterator[JobView]) -> AsyncIterator[JobView]:
    """Yield ``views``, with rests in which the scheduler can do what it is for."""
    count, begun = 0, time.monotonic()
    async for view in views:
        yield view
        count += 1
        if count % _PIECE == 0:
            await asyncio.sleep(time.monotonic() - begun)
            begun = time.monotonic()


def _within(runs: Iterable[RunView], last: float) -> list[RunView]:
    since = time.time() - last
    return [run for run in runs if run.ended_at is None or run.ended_at >= since]


def _schedule(
    scheduler: str,
    last: float,
    runs: Sequence[RunView],
    found: Iterable[Stay],
    resources: Sequence[ResourceView],
) -> Schedule:
    now = time.time()
    stays = tuple(stay for stay in found if stay.ended is None or stay.ended >= now - last)
    return Schedule(
        scheduler=scheduler,
        host=paths.host(),
        meters=meters_of(runs, stays, resources),
        stays=stays,
        periods=tuple(Period(run.name, run.started_at, run.ended_at) for run in runs),
        now=now,
    )
