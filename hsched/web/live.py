"""How the scheduler stands, as JSON that the page draws; a new one whenever it changes.

A subscription tells what happens; nothing is asked for while nothing does.
"""

from __future__ import annotations

import asyncio
import json

from hsched.cli.top.board import Board, Row, row_of
from hsched.cli.top.feed import Feed
from hsched.client import AsyncClient
from hsched.errors import HschedError
from hsched.web.state import state_of
from hsched.wire.devices import DevicesReply

#: Between two states that are sent there is so long a rest, in seconds.
_REST_S = 0.2


class Live:
    """The newest state, and who waits for the next."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._board = Board(client.name)
        self._feed = Feed(client, self._board, self._changed)
        self._news = asyncio.Event()
        self._version, self._text = 0, ""
        #: Jobs that had ended before anybody could ask what they were, once it is known.
        self._brief: dict[str, Row] = {}
        self._next: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def follow(self) -> None:
        """Keep up with the scheduler, for ever, also while it is stopped."""
        work = (self._feed.follow(), self._feed.refresh(), self._publish())
        tasks = [asyncio.ensure_future(one) for one in work]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            # What waits in a thread for a broker to come up is not waited for long.
            await asyncio.wait(tasks, timeout=0.5)

    async def after(self, version: int) -> tuple[int, str]:
        """Return the newest state and its number, once it is another than ``version``."""
        while self._version <= version:
            await asyncio.shield(self._next)
        return self._version, self._text

    def look(self) -> None:
        """Have what is shown asked for again, soon."""
        self._feed.look()

    def _changed(self) -> None:
        self._news.set()

    async def _publish(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            devices = await self._devices()
            await self._learn_brief()
            seen = self._board.visible
            text = json.dumps(state_of(self._board, devices, self._brief))
            if self._board.visible != seen:
                self._feed.look()
            if text != self._text:
                self._text = text
                self._version += 1
                done, self._next = self._next, asyncio.get_running_loop().create_future()
                done.set_result(None)
            await asyncio.sleep(_REST_S)

    async def _devices(self) -> DevicesReply | None:
        status = self._board.status
        if status is None or not any(one.name == "gpus" for one in status.resources):
            return None
        try:
            return await self._client.devices()
        except HschedError:
            return None  # whoever listens learns of it as well

    async def _learn_brief(self) -> None:
        """Ask what those jobs were that began and ended between two looks."""
        brief = [row.id for row in self._board.ended if not row.command]
        self._brief = {one: row for one, row in self._brief.items() if one in brief}
        if unknown := [one for one in brief if one not in self._brief]:
            try:
                async for view in self._client.jobs(*unknown, scope="done"):
                    self._brief[view.id] = row_of(view)
            except HschedError:
                pass  # whoever listens learns of it as well
