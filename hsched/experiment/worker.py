"""A thread that calls what it is given, one after the other."""

from __future__ import annotations

import queue
import sys
import threading
import traceback
from collections.abc import Callable

from hsched.experiment.board import Board

Call = Callable[[], object]


class Worker:
    """Calls functions in their order, in a thread of its own; ``board`` counts them.

    One that raises is told on stderr, and does not stop the rest.
    """

    def __init__(self, name: str, board: Board) -> None:
        self._name = name
        self._board = board
        self._calls: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def put(self, call: Call) -> None:
        """Have ``call`` called; the experiment waits for it."""
        self._board.begin()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        self._calls.put(call)

    def close(self) -> None:
        """End the thread once all is called; where it is in a call, wait for that."""
        if self._thread is not None:
            self._calls.put(None)
            self._thread.join()

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            try:
                guarded(call)
            finally:
                self._board.finish()


def guarded(call: Call) -> None:
    """Call what a user gave; an error of it is told, and goes no further."""
    try:
        call()
    except Exception:
        print("hsched: a callback failed; the experiment goes on:", file=sys.stderr)
        traceback.print_exc()
