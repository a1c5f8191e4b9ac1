"""What jobs and the machine use, as of the last look at them."""

from __future__ import annotations

import asyncio
import contextlib

from hsched import network
from hsched.cli.top.board import Board
from hsched.cli.top.table import Usage
from hsched.cli.top.usage import Sampler, Tree
from hsched.client import AsyncClient
from hsched.errors import HschedError


class Figures:
    """What processes use, of the jobs that are on the screen."""

    def __init__(self, client: AsyncClient, board: Board) -> None:
        self.board = board
        self.usage: dict[str, Usage] = {}
        self._client, self._sampler = client, Sampler()
        self._trees: list[Tree] = []
        self._known: frozenset[tuple[str, int | None]] = frozenset()
        tcp = network.address()
        self._is_here = tcp is None or tcp.is_loopback
        self.machine = self._sampler.machine() if self._is_here else None

    def close(self) -> None:
        """End what asks NVML."""
        self._sampler.close()

    async def look(self) -> None:
        """Look at the processes of running jobs, in a thread: NVML may take its time."""
        if not self._is_here:
            return
        running = frozenset((row.id, row.pid) for row in self.board.running())
        if running != self._known:
            with contextlib.suppress(HschedError):
                self._trees, self._known = await self._find(), running
        seen = [tree for tree in self._trees if tree.job in self.board.visible]
        self.usage = await asyncio.to_thread(self._sampler.look, seen)
        self.machine = self._sampler.machine()

    async def _find(self) -> list[Tree]:
        """Return the process trees of the jobs that run, which the broker knows."""
        reply = await self._client.devices()
        pids = {row.id: row.pid for row in self.board.running()}
        return [
            Tree(
                job,
                int(root),
                pids.get(job) == int(root),
                tuple(slot.uuid for slot in reply.slots if job in slot.jobs),
            )
            for root, job in reply.roots.items()
        ]
