"""What keys do: where they move, and what they ask the broker for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from hsched.cli.top.board import Board, Row
from hsched.cli.top.logview import LogView
from hsched.client import AsyncClient
from hsched.errors import HschedError

#: How much of a log is read to begin with, in lines.
_LOG_LINES = 2000

Begin = Callable[[Coroutine[Any, Any, None]], "asyncio.Future[None]"]


class Desk:
    """The person at the keyboard: the log, the question or the help that is open, if any.

    ``begin`` runs a coroutine beside us, ``news`` is called where there is something new to
    show, ``quit`` ends the program.
    """

    def __init__(
        self,
        client: AsyncClient,
        board: Board,
        begin: Begin,
        news: Callable[[], None],
        quit: Callable[[], None],
    ) -> None:
        self._client, self._board = client, board
        self._begin, self._news, self._quit = begin, news, quit
        self.log: LogView | None = None
        self.help = False
        #: How many lines of a log are on the screen.
        self.page = 20
        self._log_task: asyncio.Future[None] | None = None
        self._doomed: Row | None = None
        self._actions = self._bindings()

    @property
    def question(self) -> str:
        """What is asked and must be answered first; empty for nothing."""
        if self._doomed is None:
            return ""
        return f"Kill {self._doomed.title}? y kills it, any other key does not"

    def pressed(self, key: str) -> None:
        """Do what a key means here and now."""
        self._board.message = ""
        if self._doomed is not None:
            self._answered(key)
        elif self.help:
            self.help = False
        elif self.log is not None:
            self._in_log(self.log, key)
        elif key in self._actions:
            self._actions[key]()

    def _bindings(self) -> dict[str, Callable[[], None]]:
        board, client = self._board, self._client
        return {
            "up": lambda: board.move(-1),
            "down": lambda: board.move(1),
            "page up": lambda: board.move(1 - max(2, len(board.visible))),
            "page down": lambda: board.move(max(2, len(board.visible)) - 1),
            "home": lambda: board.move(-len(board.rows)),
            "end": lambda: board.move(len(board.rows)),
            "h": lambda: self._change(client.hold, "is held"),
            "r": lambda: self._change(client.release, "is released"),
            "k": self._ask_to_kill,
            "l": lambda: self._open_log(False),
            "enter": lambda: self._open_log(False),
            "e": lambda: self._open_log(True),
            "?": self._show_help,
            "q": self._quit,
        }

    def _show_help(self) -> None:
        self.help = True

    def _change(self, verb: Callable[[list[str]], Awaitable[Any]], done: str) -> None:
        if (row := self._board.current()) is not None:
            self._begin(self._do(verb([row.id]), f"{row.title} {done}"))

    def _ask_to_kill(self) -> None:
        row = self._board.current()
        if row is not None and row.state == "done":
            self._board.message = f"{row.title} has ended: {row.word}"
        else:
            self._doomed = row

    def _answered(self, key: str) -> None:
        row, self._doomed = self._doomed, None
        if key in ("y", "Y") and row is not None:
            kill = self._client.kill([row.id], wait=False)
            self._begin(self._do(kill, f"{row.title} is being ended"))

    async def _do(self, asked: Awaitable[Any], done: str) -> None:
        try:
            await asked
            self._board.message = done
        except HschedError as error:
            self._board.message = str(error)
        self._news()

    # Logs

    def _open_log(self, err: bool) -> None:
        if (row := self._board.current()) is not None:
            self._show_log(LogView(row.id, row.title, err))

    def _in_log(self, log: LogView, key: str) -> None:
        page = max(1, self.page - 1)
        moves = {"up": -1, "down": 1, "page up": -page, "page down": page}
        moves |= {"home": -1 << 30, "end": 1 << 30, " ": page}
        if key in moves:
            log.move(moves[key])
        elif key == "e":
            self._show_log(LogView(log.id, log.title, not log.err))
        elif key in ("q", "escape", "back", "enter", "l"):
            self._close_log()

    def _show_log(self, log: LogView) -> None:
        self._close_log()
        self.log, self._log_task = log, self._begin(self._read_log(log))

    def _close_log(self) -> None:
        if self._log_task is not None:
            self._log_task.cancel()
        self.log = self._log_task = None

    async def _read_log(self, log: LogView) -> None:
        try:
            blocks = self._client.log(log.id, err=log.err, follow=True, last=_LOG_LINES)
            async for block in blocks:
                log.take(block)
                self._news()
                await asyncio.sleep(0)  # for keys, also where a job writes faster than we read
            log.note = "the job has ended"
        except (HschedError, OSError) as error:
            log.note = str(error)
        self._news()
