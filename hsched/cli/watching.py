"""``hjobs --watch``: a listing that is drawn again in its place whenever something changes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from hsched.cli.terminal import console
from hsched.client import Client

#: From the upper left corner on; what was there is written over, and the rest is removed.
_HOME, _END_OF_LINE, _REST = "\x1b[H", "\x1b[K", "\x1b[J"
_CLEAR = "\x1b[H\x1b[2J"

#: Screens are drawn no faster, in seconds, so that a burst of changes is seen as one.
_DRAW_S = 0.1


def watch(client: Client, draw: Callable[[int], str]) -> None:
    """Show what ``draw`` returns for a number of lines, and again after each change.

    It ends by an interrupt alone, or with the error that ``draw`` raises.

    Raises:
        NotRunning: the scheduler was stopped.
    """
    sys.stdout.write(_CLEAR)
    try:
        with client.subscribe(arrivals=True) as changes:
            changes.begin()
            while True:
                _paint(draw(console().height))
                time.sleep(_DRAW_S)
                changes.page()
    finally:
        sys.stdout.write("\n")
        sys.stdout.flush()


def _paint(text: str) -> None:
    lines = text.rstrip("\n").replace("\n", f"{_END_OF_LINE}\n")
    sys.stdout.write(f"{_HOME}{lines}{_END_OF_LINE}{_REST}")
    sys.stdout.flush()
