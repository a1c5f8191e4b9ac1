"""A real shell on a pseudo-terminal, and somebody who types."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path

from tests.e2e.shell import DEADLINE_S, Shell

PROMPT = "ready> "


class Terminal:
    """An interactive bash in a session of its own, 24 lines of 80 columns."""

    def __init__(self, shell: Shell) -> None:
        self._screen, inner = os.openpty()
        self._text = ""
        self.resize(24, 80)
        self._bash = subprocess.Popen(
            ["setsid", "--ctty", "bash", "--norc", "--noediting", "-i"],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            cwd=shell.folder,
            env={**shell.env, "PS1": PROMPT, "TERM": "dumb"},
        )
        os.close(inner)
        self.expect(PROMPT)

    def resize(self, lines: int, columns: int) -> None:
        """Do what a window does when it is dragged."""
        fcntl.ioctl(self._screen, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def type(self, text: str) -> None:
        """Type something; Ctrl-C is ``\\x03``."""
        os.write(self._screen, text.encode())

    def line(self, text: str) -> str:
        """Type a line, and return what is shown until the next prompt, without the echo."""
        self.type(f"{text}\n")
        self.expect(f"{text}\r\n")
        return self.expect(PROMPT).replace("\r\n", "\n")

    def expect(self, text: str) -> str:
        """Wait until ``text`` is shown; return what was before it since the last time."""
        deadline = time.monotonic() + DEADLINE_S
        while text not in self._text:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._screen], [], [], left)[0]:
                raise AssertionError(f"{text!r} is not shown, but {self._text!r}")
            self._text += os.read(self._screen, 4096).decode()
        before, _, self._text = self._text.partition(text)
        return before

    def until_foreground(self) -> None:
        """Wait until a job other than bash has the terminal, and none of it is stopped.

        What is typed before that goes to bash, which ignores a Ctrl-Z.
        """
        deadline = time.monotonic() + DEADLINE_S
        while "T" in (states := self._foreground()) or not states:
            assert time.monotonic() < deadline, f"the foreground is {states}"
            time.sleep(0.01)

    def _foreground(self) -> list[str]:
        """Return the states of the processes that have the terminal, none for bash."""
        group = os.tcgetpgrp(self._screen)
        if group == self._bash.pid:
            return []
        fields = [stat.rpartition(")")[2].split() for stat in _stats()]
        return [state for state, _, its_group, *_ in fields if int(its_group) == group]

    def close(self) -> None:
        """Hang up."""
        if self._screen >= 0:
            os.close(self._screen)
            self._screen = -1
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._bash.wait(DEADLINE_S)
            self._bash.kill()
            self._bash.wait()


def _stats() -> Iterator[str]:
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended since
            yield path.read_text(errors="replace")
