"""Keeps a board as the broker is: by a subscription, and by asking for what it lacks."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable

from hsched import paths
from hsched.cli.top.board import RUNNING, Board
from hsched.client import AsyncClient
from hsched.client.inotify import Folders
from hsched.errors import HschedError, NoSuchJob, NotRunning

#: So many jobs are asked for at a time, and in so many pieces the queue is read at first.
_AT_ONCE, _PIECE = 200, 1000

#: Between two questions there is so long a rest, in seconds, and in times of what the last
#: one took: a busy scheduler has better things to do than to be looked at.
_LEAST_REST_S, _REST, _READ_REST = 0.1, 4.0, 1.0

#: Where no file tells that a scheduler is back: how long to wait before trying, in seconds.
_TRY_AGAIN_S = 5.0


class Feed:
    """``changed`` is called whenever the board is another than before."""

    def __init__(self, client: AsyncClient, board: Board, changed: Callable[[], None]) -> None:
        self._client, self._board, self._changed = client, board, changed
        self._news = asyncio.Event()
        self._loading: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Have what is on the screen asked for again, soon."""
        self._board.look_again()
        self._news.set()

    async def follow(self) -> None:
        """Take in what happens, for ever; while no scheduler runs, wait for one."""
        while True:
            try:
                await self._listen()
            except HschedError as error:
                await self._stop_loading()
                self._lost(error)
                await self._back()

    async def refresh(self) -> None:
        """Ask for what changes have not told, for ever, and rest in between."""
        clock = asyncio.get_running_loop().time
        while True:
            await self._news.wait()
            self._news.clear()
            begun = clock()
            with contextlib.suppress(HschedError):  # whoever listens learns of it as well
                await self._ask()
                self._changed()
            await asyncio.sleep(max(_LEAST_REST_S, _REST * (clock() - begun)))
            if self._board.has_stale:
                self._news.set()

    async def load(self) -> None:
        """List the queue, what runs first; between its pieces there is a rest."""
        board, clock = self._board, asyncio.get_running_loop().time
        board.status = await self._client.status()
        async for view in self._client.jobs(states=RUNNING):
            board.learn(view)
        self._changed()
        count, begun = 0, clock()
        async for view in self._client.jobs(states=("pending",)):
            board.learn(view)
            count += 1
            if count % _PIECE == 0:
                self._changed()
                await asyncio.sleep(_READ_REST * (clock() - begun))
                begun = clock()

    async def _listen(self) -> None:
        """Take in changes until the scheduler is gone.

        Raises:
            HschedError: it is gone, or cannot be spoken with.
        """
        async with self._client.subscribe(arrivals=True) as changes:
            while not changes.has_begun:
                await changes.next_page()
            await self._reload()
            while (page := await changes.next_page()) is not None:
                if not changes.is_complete:
                    await self._reload()
                self._board.take(page)
                self.look()
                self._changed()

    async def _reload(self) -> None:
        await self._stop_loading()
        self._board.clear()
        self._board.trouble = ""
        self._loading = asyncio.ensure_future(self._load())

    async def _load(self) -> None:
        self._board.reading = True
        try:
            await self.load()
        except HschedError as error:
            self._board.message = str(error)
        finally:
            self._board.reading = False
            self._changed()

    async def _stop_loading(self) -> None:
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.wait([self._loading])
            self._loading = None

    async def _ask(self) -> None:
        board = self._board
        board.status = await self._client.status()
        if ids := board.take_stale(_AT_ONCE):
            try:
                with contextlib.suppress(NoSuchJob):  # all of them have ended meanwhile
                    async for view in self._client.jobs(*ids):
                        board.learn(view)
            except HschedError:
                board.not_asked(ids)
                raise
            board.asked(ids)

    def _lost(self, error: HschedError) -> None:
        board = self._board
        board.clear()
        board.status = None
        board.trouble = "it has stopped; this goes on when it runs again"
        if not isinstance(error, NotRunning):
            board.trouble = str(error)
        self._changed()

    async def _back(self) -> None:
        """Wait until a broker may be there, without asking: its address is a file."""
        place = self._client.place
        folders, woken = Folders(), asyncio.Event()
        loop = asyncio.get_running_loop()
        is_remote = bool(os.environ.get("HSCHED_HOST"))
        watched = not is_remote and folders.add(place.folder)
        if watched:
            loop.add_reader(folders.descriptor, woken.set)
        try:
            while paths.read_address(place) is None:
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(woken.wait(), None if watched else _TRY_AGAIN_S)
                if is_remote:
                    return
                folders.forget_news()
                woken.clear()
            await asyncio.sleep(_LEAST_REST_S)  # where the address was there all along
        finally:
            if watched:
                loop.remove_reader(folders.descriptor)
            folders.close()
