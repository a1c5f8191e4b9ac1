"""The conversation with a broker, and a stream of its changes, for asyncio."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence

import zmq.asyncio

from hsched import paths
from hsched.client.connection import Connection, M, _milliseconds_or_none, new_key, read_reply
from hsched.client.subscription import Subscription
from hsched.errors import NoAnswer, NotRunning
from hsched.wire.frames import Header
from hsched.wire.message import Message
from hsched.wire.subscribe import Change


class AsyncConnection(Connection):
    """A connection whose waits let other coroutines run; requests of several take turns."""

    def __init__(self, place: paths.Place, timeout: float) -> None:
        super().__init__(place, timeout)
        self._turn = asyncio.Lock()

    async def ask(self, request: Message, reply: type[M]) -> M:
        """Send ``request`` and return the reply, as :meth:`Connection.call` does."""
        async with self._turn:
            key, deadline = new_key(), time.monotonic() + self.timeout
            await self.tell(request, key, deadline)
            while True:
                frames = await self.hear(deadline)
                if frames is None:
                    await self.tell(request, key, deadline)
                elif frames[0].key == key:
                    return read_reply(frames, reply)

    async def tell(self, request: Message, key: str, deadline: float) -> None:
        """Send ``request``, as :meth:`Connection.send` does."""
        if self._socket is None:
            await self._connect_elsewhere(deadline)
        self.send(request, key, deadline)

    async def hear(self, deadline: float | None) -> tuple[Header, bytes] | None:
        """Return what the broker says next, as :meth:`Connection.receive` does."""
        assert self._socket is not None, "tell comes first"
        poller = self._poller(self._socket)
        return self._taken(await poller.poll(_milliseconds_or_none(deadline)))

    async def hears(self, other: int, deadline: float | None) -> bool:
        """Wait as :meth:`hear` would; False where only the descriptor ``other`` is readable."""
        assert self._socket is not None, "tell comes first"
        poller = self._poller(self._socket, other)
        ready = await poller.poll(_milliseconds_or_none(deadline))
        return [one for one, _ in ready] != [other]

    async def broker_ends(self, deadline: float) -> bool:
        """Wait until the broker is gone, as :meth:`Connection.wait_for_end` does."""
        if self._broker < 0 and self._monitor is None:
            return True
        return bool(await self._poller().poll(_milliseconds_or_none(deadline)))

    def _new_poller(self) -> zmq.asyncio.Poller:
        return zmq.asyncio.Poller()

    def _open(self, endpoint: str, deadline: float) -> zmq.Socket[bytes]:
        self._context = zmq.Context()
        socket = self._context.socket(zmq.DEALER)
        socket.connect(endpoint)
        return socket

    async def _connect_elsewhere(self, deadline: float) -> None:
        """Connect in a thread: to bring a broker back takes a while.

        Who is cancelled meanwhile waits for it, so that no two threads use the socket.
        """
        connecting = asyncio.ensure_future(asyncio.to_thread(self._connected, deadline))
        try:
            await asyncio.shield(connecting)
        except asyncio.CancelledError:
            await asyncio.wait([connecting])
            raise


class AsyncSubscription(Subscription):
    """Changes to iterate over with ``async for``; otherwise a :class:`Subscription`."""

    _connection: AsyncConnection

    def __init__(
        self,
        place: paths.Place,
        ids: Sequence[str] | None,
        timeout: float | None,
        *,
        arrivals: bool = False,
        ends: bool = False,
    ) -> None:
        super().__init__(place, ids, timeout, arrivals=arrivals, ends=ends)
        self._connection = AsyncConnection(place, timeout or 0.0)

    async def __aenter__(self) -> AsyncSubscription:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._connection.close()

    async def __aiter__(self) -> AsyncIterator[Change]:
        """Yield changes until the time is up, as a :class:`Subscription` does."""
        while (changes := await self.next_page()) is not None:
            for change in changes:
                yield change

    async def next_page(self, other: int = -1) -> tuple[Change, ...] | None:
        """Wait for changes and return them, as :meth:`Subscription.page` does."""
        if self._key is None:
            key, request, limit = self._request()
            try:
                await self._connection.tell(request, key, limit)
            except NotRunning as error:
                return await asyncio.to_thread(self._last_words, error)
            except NoAnswer:
                if self._deadline is None:
                    raise
                return None
            self._key = key
        if other >= 0 and not await self._connection.hears(other, self._deadline):
            return ()
        try:
            frames = await self._connection.hear(self._deadline)
        except NoAnswer:
            return None
        return self._taken(frames)
