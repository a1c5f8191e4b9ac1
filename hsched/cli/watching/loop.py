"""The loop of ``--watch``: draw, wait until it is no longer true, draw."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from hsched.cli.terminal import console

#: From the upper left corner on; what was there is written over, and the rest is removed.
_HOME, _END_OF_LINE, _REST = "\x1b[H", "\x1b[K", "\x1b[J"
_CLEAR = "\x1b[H\x1b[2J"

#: Screens are drawn no faster, in seconds, so that a burst of changes is seen as one.
_DRAW_S = 0.1


class Window:
    """``descriptor`` becomes readable when the terminal has another size than before."""

    def __enter__(self) -> Window:
        self.descriptor, self._told = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        # By the wakeup descriptor: a handler in Python alone would not end a wait.
        self._other = signal.set_wakeup_fd(self._told, warn_on_full_buffer=False)
        self._before = signal.signal(signal.SIGWINCH, _nothing)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGWINCH, self._before)
        signal.set_wakeup_fd(self._other)
        os.close(self.descriptor)
        os.close(self._told)

    def has_changed(self) -> bool:
        """Return whether its size has changed since the last call."""
        with contextlib.suppress(BlockingIOError):
            return bool(os.read(self.descriptor, 65536))
        return False


def watch(draw: Callable[[int], str], wait: Callable[[int], Any]) -> None:
    """Show what ``draw`` returns for a number of lines, and again each time ``wait`` returns.

    That gets a descriptor, and is to return at once when this is readable: the window has
    another size.  An interrupt alone ends it, or an error that one of them raises.
    """
    sys.stdout.write(_CLEAR)
    try:
        with Window() as window:
            while True:
                _paint(draw(console().height))
                time.sleep(_DRAW_S)
                wait(window.descriptor)
                if window.has_changed():
                    sys.stdout.write(_CLEAR)
    finally:
        sys.stdout.write("\n")
        sys.stdout.flush()


def _paint(text: str) -> None:
    lines = text.rstrip("\n").replace("\n", f"{_END_OF_LINE}\n")
    sys.stdout.write(f"{_HOME}{lines}{_END_OF_LINE}{_REST}")
    sys.stdout.flush()


def _nothing(number: int, frame: FrameType | None) -> None:
    """Have Python know of a signal that would be ignored otherwise."""
