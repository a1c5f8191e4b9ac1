"""The program: the loop in which the broker, the keys and the signals are heard."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import threading
import time
from collections.abc import Coroutine
from typing import Any

from hsched.cli.top.board import Board
from hsched.cli.top.desk import Desk
from hsched.cli.top.feed import Feed
from hsched.cli.top.figures import Figures
from hsched.cli.top.frame import Scene, frame
from hsched.cli.top.keys import Keys
from hsched.cli.top.screen import Screen, picture
from hsched.cli.top.slotmap import Glyphs
from hsched.cli.top.text import Line
from hsched.client import AsyncClient

#: How often processes are looked at, in seconds, and in times of what a look takes at the
#: least; the second look comes sooner, for only with it CPU time is known.
_LOOK_S, _LOOK_REST, _FIRST_LOOK_S = 2.0, 10.0, 0.5

#: What has happened is drawn so much later, with what happens meanwhile, and what keys do
#: almost at once; after Escape alone no other key comes for so long.  In seconds.
_DRAW_S, _KEY_S, _ESCAPE_S = 0.1, 0.01, 0.05

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def show(scheduler: str | None) -> None:
    """Be the full-screen view until it is quit; dies of the signal that ended it, if one did.

    Raises:
        NotRunning: there is no scheduler of this name.
    """
    screen = Screen()
    number = 0
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        try:
            number = loop.run_until_complete(_Top(scheduler, screen).run())
        finally:
            screen.leave()
    if number:
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)


def draw(scheduler: str | None, path: str) -> None:
    """Write a picture of the view as it is now, in the size that COLUMNS and LINES say.

    Raises:
        NotRunning: there is no scheduler of this name.
        OSError: the file cannot be written.
    """
    width, height = shutil.get_terminal_size((100, 30))
    lines = asyncio.run(_still(scheduler, width, height))
    with open(path, "w", encoding="utf-8") as file:
        file.write(picture(lines, width, "hsched top"))


async def _still(scheduler: str | None, width: int, height: int) -> list[Line]:
    async with AsyncClient(scheduler) as client:
        figures = Figures(client, Board(client.name))
        await Feed(client, figures.board, lambda: None).load()
        scene = Scene(figures.board, {}, None, time.time(), Glyphs())
        frame(scene, width, height)
        for _ in range(2):
            await figures.look()
            await asyncio.sleep(_FIRST_LOOK_S)
        await figures.look()
        figures.close()
        full = scene._replace(usage=figures.usage, machine=figures.machine, now=time.time())
        return frame(full, width, height)


class _Top:
    """The view while it is shown."""

    def __init__(self, scheduler: str | None, screen: Screen) -> None:
        self._client, self._screen = AsyncClient(scheduler), screen
        self._board = Board(self._client.name)
        self._keys = Keys()
        self._glyphs = Glyphs(screen.unicode)
        self._due: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Future[None]] = set()

    async def run(self) -> int:
        """Show it until the person or a signal ends it; return the signal, 0 for none."""
        await self._client.status()  # where none runs, that is said on the terminal as it is
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[int] = self._loop.create_future()
        self._feed = Feed(self._client, self._board, self._changed)
        self._figures = Figures(self._client, self._board)
        self._desk = Desk(self._client, self._board, self._begin, self._changed, self._end)
        try:
            self._take_signals()
            self._screen.enter()
            self._loop.add_reader(0, self._read)
            for work in (self._feed.follow(), self._feed.refresh(), self._look()):
                self._begin(work)
            self._changed()
            return await self._over
        finally:
            self._loop.remove_reader(0)
            self._screen.leave()
            self._figures.close()
            await self._end_tasks()
            for number in (*_ENDING, signal.SIGTSTP, signal.SIGCONT, signal.SIGWINCH):
                self._loop.remove_signal_handler(number)

    # Signals

    def _take_signals(self) -> None:
        for number in _ENDING:
            self._loop.add_signal_handler(number, self._end, number)
        self._loop.add_signal_handler(signal.SIGWINCH, self._resized)
        self._loop.add_signal_handler(signal.SIGCONT, self._continued)
        if signal.getsignal(signal.SIGTSTP) is not signal.SIG_IGN:
            self._loop.add_signal_handler(signal.SIGTSTP, self._stop)

    def _end(self, number: int = 0) -> None:
        if not self._over.done():
            self._over.set_result(number)

    def _stop(self) -> None:
        """Stop as Ctrl-Z wants it, with the terminal given back meanwhile."""
        self._screen.leave()
        self._loop.remove_signal_handler(signal.SIGTSTP)
        # To this very thread, so that it stops here and not a little later.
        signal.pthread_kill(threading.get_ident(), signal.SIGTSTP)
        self._loop.add_signal_handler(signal.SIGTSTP, self._stop)
        self._continued()

    def _continued(self) -> None:
        self._screen.enter()
        self._resized()

    def _resized(self) -> None:
        self._screen.forget()
        self._changed()

    # Drawing

    def _changed(self, delay: float = _DRAW_S) -> None:
        if self._due is not None:
            if self._due.when() <= self._loop.time() + delay:
                return
            self._due.cancel()
        self._due = self._loop.call_later(delay, self._draw)

    def _draw(self) -> None:
        self._due = None
        if self._over.done():
            return
        try:
            before = self._board.visible
            self._screen.draw(self._frame(), self._screen.size()[0])
            if self._board.visible != before:
                self._feed.look()
        except OSError:  # the terminal is gone
            self._end(signal.SIGHUP)
        except Exception as error:
            self._over.set_exception(error)

    def _frame(self) -> list[Line]:
        desk, figures = self._desk, self._figures
        width, height = self._screen.size()
        desk.page = height - 2
        scene = Scene(self._board, figures.usage, figures.machine, time.time(), self._glyphs)
        return frame(
            scene._replace(log=desk.log, confirm=desk.question, help=desk.help), width, height
        )

    async def _look(self) -> None:
        """Look at processes as long as they are shown."""
        rest = _FIRST_LOOK_S
        while True:
            begun = self._loop.time()
            await self._figures.look()
            self._changed()
            took = self._loop.time() - begun
            await asyncio.sleep(max(rest, _LOOK_REST * took))
            rest = _LOOK_S if self._figures.usage else _FIRST_LOOK_S

    # Keys

    def _read(self) -> None:
        try:
            data = os.read(0, 1024)
        except OSError:
            data = b""
        if not data:
            self._end(signal.SIGHUP)
            return
        for key in self._keys.feed(data):
            self._desk.pressed(key)
        self._changed(_KEY_S)
        if self._keys.is_open:
            self._loop.call_later(_ESCAPE_S, self._escaped)

    def _escaped(self) -> None:
        for key in self._keys.flush():
            self._desk.pressed(key)
        self._changed(_KEY_S)

    # Tasks

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Future[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Future[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) and not self._over.done():
            self._over.set_exception(error)

    async def _end_tasks(self) -> None:
        """End what is under way; what waits for a broker to come up is not waited for long."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=0.5)
        await self._client.close()
