"""The client for asyncio: the methods of :class:`~hsched.client.Client`, to be awaited."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from hsched import paths
from hsched.client import asks
from hsched.client.async_connection import AsyncConnection, AsyncSubscription
from hsched.client.client import DEFAULT_TIMEOUT_S
from hsched.errors import NoAnswer, NotRunning
from hsched.wire.jobs import JobsRequest, JobView
from hsched.wire.slots import ResourceView
from hsched.wire.submit import Context, JobSpec

if TYPE_CHECKING:
    from hsched.wire.devices import DevicesReply
    from hsched.wire.runs import RunView
    from hsched.wire.status import StatusReply
    from hsched.wire.stop import StopReply

R = TypeVar("R")


class AsyncClient:
    """Speaks with the broker of one scheduler, from the coroutines of one event loop.

    Methods, arguments, errors and results are those of :class:`~hsched.client.Client`; all but
    :meth:`subscribe` are awaited, or iterated over with ``async for``.  Several
    coroutines may use it at once.  Use it in ``async with``, or call :meth:`close`.
    """

    def __init__(self, name: str | None = None, timeout: float = DEFAULT_TIMEOUT_S) -> None:
        """As :class:`~hsched.client.Client`; ``timeout`` bounds each request, in seconds."""
        self.place = paths.place(name or paths.default_name())
        self._connection = AsyncConnection(self.place, timeout)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """As :meth:`Client.close`."""
        self._connection.close()

    @property
    def name(self) -> str:
        """The scheduler's name."""
        return self.place.name

    async def submit(self, spec: JobSpec, context: Context | None = None) -> AsyncJob:
        """As :meth:`Client.submit`."""
        return (await self.submit_batch([spec], context))[0]

    async def submit_batch(
        self, specs: Sequence[JobSpec], context: Context | None = None
    ) -> list[AsyncJob]:
        """As :meth:`Client.submit_batch`."""
        ids = await self._do(asks.submit(self.name, specs, context))
        return [AsyncJob(self, one) for one in ids]

    async def jobs(
        self,
        *words: str,
        scope: str = "live",
        states: Sequence[str] = (),
        run: str | None = None,
        last: int | None = None,
        after: str | None = None,
    ) -> AsyncIterator[JobView]:
        """As :meth:`Client.jobs`."""
        newest = (last, after)
        request: JobsRequest | None = asks.jobs_request(words, scope, states, run, newest)
        while request is not None:
            page = await self._do(asks.jobs(request), from_history=scope != "live")
            for job in page.jobs:
                yield job
            request = asks.next_page(request, page)

    async def kill(
        self,
        words: Iterable[str] = (),
        *,
        everything: bool = False,
        states: Sequence[str] = (),
        signal: int = 15,
        grace: float | None = None,
        wait: bool = True,
    ) -> list[str]:
        """As :meth:`Client.kill`."""
        ids = await self._do(asks.kill(words, everything, states, signal, grace))
        if wait and asks.is_awaited(ids, signal):
            limit = self._connection.timeout + (grace or 0.0)
            with contextlib.suppress(NotRunning):  # it was drained: its last jobs are gone
                if not await self.wait(ids, timeout=limit):
                    raise NoAnswer(f"some of {', '.join(ids)} are not gone after {limit:g} s")
        return ids

    async def hold(self, words: Iterable[str] = (), **choice: Any) -> list[str]:
        """As :meth:`Client.hold`."""
        return await self._do(asks.hold(words, choice))

    async def release(self, words: Iterable[str] = (), **choice: Any) -> list[str]:
        """As :meth:`Client.release`."""
        return await self._do(asks.release(words, choice))

    async def suspend(self, words: Iterable[str] = (), **choice: Any) -> list[str]:
        """As :meth:`Client.suspend`."""
        return await self._do(asks.suspend(words, choice))

    async def resume(self, words: Iterable[str] = (), **choice: Any) -> list[str]:
        """As :meth:`Client.resume`."""
        return await self._do(asks.resume(words, choice))

    async def update(self, words: Iterable[str] = (), **changes: Any) -> list[str]:
        """As :meth:`Client.update`."""
        return await self._do(asks.update(self.name, words, changes))

    async def rerun(self, words: Iterable[str] = (), *, failed: bool = False) -> list[AsyncJob]:
        """As :meth:`Client.rerun`."""
        return [AsyncJob(self, one) for one in await self._do(asks.rerun(words, failed))]

    async def adopt(self, pid: int, slots: str, **given: Any) -> AsyncJob:
        """As :meth:`Client.adopt`."""
        return AsyncJob(self, *await self._do(asks.adopt(pid, slots, given)))

    async def remove(self, ids: Iterable[str]) -> list[str]:
        """As :meth:`Client.remove`."""
        return await self._do(asks.remove(ids))

    async def runs(self) -> tuple[RunView, ...]:
        """As :meth:`Client.runs`."""
        return await self._do(asks.runs(), from_history=True)

    async def wait(
        self, ids: Sequence[str], *, any_of: bool = False, timeout: float | None = None
    ) -> bool:
        """As :meth:`Client.wait`."""
        waiting = asks.Waiting(ids, any_of)
        async with self.subscribe(ids, timeout, ends=True) as changes:
            async for change in changes:
                if waiting.is_over(change.id, change.state):
                    return True
        return False

    def subscribe(
        self,
        ids: Sequence[str] | None = None,
        timeout: float | None = None,
        *,
        arrivals: bool = False,
        ends: bool = False,
    ) -> AsyncSubscription:
        """As :meth:`Client.subscribe`; for ``async with`` and ``async for``."""
        return AsyncSubscription(self.place, ids, timeout, arrivals=arrivals, ends=ends)

    async def log(
        self,
        word: str,
        *,
        err: bool = False,
        follow: bool = False,
        last: int | None = None,
        run: str | None = None,
    ) -> AsyncIterator[bytes]:
        """As :meth:`Client.log`."""
        from hsched.client import log

        job = log.only([one async for one in self.jobs(word, scope="all", run=run, last=2)])
        if job is None:
            raise log.several(word, await anext(self.jobs(word, scope="all", run=run)))
        if not follow or job.state == "done":
            for block in log.contents(job, err, last):
                yield block
            return
        with log.Tail(job, err, last) as tail:
            async with self.subscribe([job.id]) as changes:
                for block in tail.blocks():
                    yield block
                while not tail.is_over:
                    tail.hear(await changes.next_page(tail.descriptor))
                    for block in tail.blocks():
                        yield block
        if not tail.has_file:
            raise tail.missing(await AsyncJob(self, job.id).view())

    async def slots(self) -> tuple[ResourceView, ...]:
        """As :meth:`Client.slots`."""
        return await self._do(asks.slots())

    async def devices(self) -> DevicesReply:
        """As :meth:`Client.devices`."""
        return await self._do(asks.devices())

    async def set_slots(self, spec: str) -> tuple[ResourceView, ...]:
        """As :meth:`Client.set_slots`."""
        return await self._do(asks.set_slots(spec))

    async def drain_slots(
        self, words: Iterable[str], *, back: bool = False
    ) -> tuple[ResourceView, ...]:
        """As :meth:`Client.drain_slots`."""
        return await self._do(asks.drain_slots(words, back))

    async def status(self) -> StatusReply:
        """As :meth:`Client.status`."""
        return await self._do(asks.status())

    async def stop(self, *, force: bool = False, grace: float | None = None) -> str:
        """As :meth:`Client.stop`."""
        reply = await self._do(asks.stop(force=force, grace=grace))
        if not await self._is_gone(grace or 0.0):
            raise NoAnswer(f"scheduler {self.name} is ending its jobs; it is not gone yet")
        return reply.folder

    async def drain(self) -> StopReply:
        """As :meth:`Client.drain`."""
        reply = await self._do(asks.stop(drain=True))
        ends = not (reply.running or reply.asks)
        if ends and not await self._is_gone(0.0):
            raise NoAnswer(f"scheduler {self.name} is ending; it is not gone yet")
        return reply

    async def _is_gone(self, grace: float) -> bool:
        limit = time.monotonic() + self._connection.timeout + grace
        return await self._connection.broker_ends(limit)

    async def _do(self, ask: asks.Ask[R], from_history: bool = False) -> R:
        try:
            return ask.made_of(await self._connection.ask(ask.request, ask.reply))
        except NotRunning:
            if not from_history:
                raise
            from hsched.client.history import read_history

            found = await asyncio.to_thread(read_history, self.place, ask.request, ask.reply)
            return ask.made_of(found)


class AsyncJob:
    """A handle as :class:`~hsched.client.Job`, whose methods are awaited."""

    def __init__(self, client: AsyncClient, identity: str) -> None:
        self._client = client
        self.id = identity

    def __repr__(self) -> str:
        return f"AsyncJob({self.id!r})"

    def __str__(self) -> str:
        return self.id

    async def view(self) -> JobView:
        """As :meth:`Job.view`."""
        (found,) = [job async for job in self._client.jobs(self.id, scope="all")]
        return found

    async def outcome(self) -> str | None:
        """How the job ended, None while it is live; a method here, to be awaited."""
        return (await self.view()).outcome

    async def wait(self, timeout: float | None = None) -> JobView:
        """As :meth:`Job.wait`."""
        if not await self._client.wait([self.id], timeout=timeout):
            raise NoAnswer(f"job {self.id} is not done after {timeout:g} s")
        return await self.view()
