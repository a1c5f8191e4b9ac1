"""A program on the whole screen of a pseudo-terminal, and what a person sees of it."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable
from typing import Any

import pyte

from tests.e2e.shell import DEADLINE_S, Shell


class Painted:
    """A command on a terminal of its own, in a session of its own; the terminal keeps on."""

    def __init__(
        self, shell: Shell, *argv: str, size: tuple[int, int] = (80, 24), **env: str
    ) -> None:
        columns, lines = size
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self.written = b""
        self._outer, self._inner = os.openpty()
        self._set_size(columns, lines)
        self.mode = termios.tcgetattr(self._inner)
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *argv],
            stdin=self._inner,
            stdout=self._inner,
            stderr=self._inner,
            cwd=shell.folder,
            env={**shell.env, "TERM": "xterm-256color", "LANG": "C.UTF-8", **env},
        )

    def __enter__(self) -> Painted:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._outer)
        os.close(self._inner)

    @property
    def text(self) -> str:
        """What stands on the screen now."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def resize(self, columns: int, lines: int) -> None:
        """Do what a window does when it is dragged."""
        self.screen.resize(lines, columns)
        self._set_size(columns, lines)

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._outer, text.encode())

    def sees(self, *texts: str, absent: tuple[str, ...] = ()) -> str:
        """Wait until all ``texts`` stand on the screen and none of ``absent``; return it."""
        self.until(
            lambda: all(t in self.text for t in texts) and not any(t in self.text for t in absent),
            f"{texts} and not {absent}",
        )
        return self.text

    def until(self, look: Callable[[], Any], what: str) -> Any:
        """Wait until ``look`` returns something true, and return that."""
        deadline = time.monotonic() + DEADLINE_S
        while not (found := look()):
            left = deadline - time.monotonic()
            assert left > 0, f"not within {DEADLINE_S:g} s: {what}\n{self.text}"
            self._read(min(left, 0.05))
        return found

    def ends(self) -> int:
        """Wait until the program has ended, and return how, as subprocess tells it."""
        self.until(lambda: self.process.poll() is not None, "it has ended")
        self._read(0)
        return self.process.returncode

    def is_restored(self, entered: bool = True) -> bool:
        """Whether the terminal is as it was before the program came, if that has come at all."""
        last = self.written.rfind
        if not entered:
            return b"\x1b[?1049h" not in self.written
        return (
            termios.tcgetattr(self._inner) == self.mode
            and last(b"\x1b[?1049l") > last(b"\x1b[?1049h")
            and last(b"\x1b[?25h") > last(b"\x1b[?25l")
        )

    def hang_up(self) -> None:
        """Do what a window does when it is closed."""
        os.close(self._inner)
        os.close(self._outer)
        self._inner, self._outer = os.openpty()

    def kill(self, number: signal.Signals) -> None:
        """Send the program a signal."""
        self.process.send_signal(number)

    def _set_size(self, columns: int, lines: int) -> None:
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self._outer, termios.TIOCSWINSZ, size)

    def _read(self, timeout: float) -> None:
        while select.select([self._outer], [], [], timeout)[0]:
            data = os.read(self._outer, 65536)
            self.written += data
            self._stream.feed(data)
            timeout = 0
