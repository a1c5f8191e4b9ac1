"""The log of one job on the screen: the last lines, and where one stands in them.  Pure."""

from __future__ import annotations

import codecs
import re
from collections import deque

from hsched.cli.render import printable
from hsched.cli.top.text import Line, fitted, line

#: So many lines are kept.
LINES = 10_000

#: Sequences that colour text and move the cursor; a log is shown without them.
_CONTROL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


class LogView:
    """What a job has written, as far as it is kept; the view stays at its end if it is there."""

    def __init__(self, identity: str, title: str, err: bool) -> None:
        self.id, self.title, self.err = identity, title, err
        #: How it goes: that the job is done, or why there is nothing.
        self.note = ""
        self._lines: deque[str] = deque(maxlen=LINES)
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._partial = ""
        self._up = 0  # by how many lines the view is above the end

    def take(self, block: bytes) -> None:
        """Take in what was written."""
        *whole, self._partial = (self._partial + self._decoder.decode(block)).split("\n")
        self._partial = self._partial[-100_000:]
        self._lines.extend(map(_shown, whole[-LINES:]))
        if self._up:
            self._up += len(whole)

    def move(self, by: int) -> None:
        """Scroll ``by`` lines down, as far as there are any."""
        self._up = max(0, min(self._up - by, self._count - 1))

    def lines(self, width: int, height: int) -> list[Line]:
        """Return the screen: a head, and as much of the log as fits."""
        room = max(0, height - 1)
        self._up = min(self._up, max(0, self._count - room))
        kept = [*self._lines, *([_shown(self._partial)] if self._partial else [])]
        end = len(kept) - self._up
        shown = [line(text) for text in kept[max(0, end - room) : end]]
        stream = "standard error" if self.err else "standard output"
        below = f", {self._up} lines below" if self._up else ""
        note = self.note or ("" if kept else "nothing yet")
        head = f"{self.title}: {stream}{below}{'; ' if note else ''}{note}"
        lines = [fitted(line(head, "bold reverse"), width, "reverse"), *shown]
        return [fitted(one, width) for one in lines][:height]

    @property
    def _count(self) -> int:
        return len(self._lines) + bool(self._partial)


def _shown(text: str) -> str:
    """Return a line as a terminal would have left it, roughly: bars drawn once, no colour."""
    last = _CONTROL.sub("", text).rstrip("\r").rpartition("\r")[2]
    return printable(last.expandtabs())
