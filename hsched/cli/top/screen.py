"""The terminal as a screen: taken over and given back, drawn line by line."""

from __future__ import annotations

import contextlib
import os
import re
import termios
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from hsched.cli.top.text import Line

_ALTERNATE, _NORMAL = "\x1b[?1049h", "\x1b[?1049l"
_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"
_DEFAULT = (80, 24)


class Screen:
    """The terminal of stdin and stdout, which :meth:`leave` puts back as it was found."""

    def __init__(self, source: int = 0, target: int = 1) -> None:
        self._source, self._target = source, target
        self._before: list[object] | None = None
        self._drawn: list[Line] = []
        self._console = Console(force_terminal=True, highlight=False, width=_DEFAULT[0])

    @property
    def unicode(self) -> bool:
        """Whether it can show more than ASCII."""
        return self._console.encoding.startswith("utf")

    def size(self) -> tuple[int, int]:
        """Return its columns and lines."""
        with contextlib.suppress(OSError):
            columns, lines = os.get_terminal_size(self._target)
            if columns > 0 and lines > 0:
                return columns, lines
        return _DEFAULT

    def enter(self) -> None:
        """Take it over: keys come one by one and unseen, what was there is kept aside."""
        if self._before is None:
            self._before = termios.tcgetattr(self._source)
        mode = termios.tcgetattr(self._source)
        mode[3] &= ~(termios.ICANON | termios.ECHO)
        mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
        termios.tcsetattr(self._source, termios.TCSANOW, mode)
        self._drawn = []
        self._write(_ALTERNATE + _HIDE)

    def leave(self) -> None:
        """Give it back, unless another program has it now or it is gone."""
        before, self._before = self._before, None
        if before is None:
            return
        with contextlib.suppress(OSError, termios.error):
            if os.tcgetpgrp(self._source) == os.getpgrp():
                termios.tcsetattr(self._source, termios.TCSANOW, before)  # type: ignore[arg-type] # as tcgetattr gave it
                self._write(_SHOW + _NORMAL)

    def draw(self, lines: Sequence[Line], width: int) -> None:
        """Show ``lines`` from the top; what has not changed is not written again."""
        self._console.width = width
        out = []
        for number, line in enumerate(lines):
            if number >= len(self._drawn) or line != self._drawn[number]:
                out.append(f"\x1b[{number + 1};1H\x1b[2K{self._rendered(line)}")
        if len(self._drawn) > len(lines) or not self._drawn:
            out.append(f"\x1b[{len(lines) + 1};1H\x1b[J" if self._drawn else "")
        self._drawn = list(lines)
        if any(out):
            self._write("".join(out))

    def forget(self) -> None:
        """Draw all of it the next time: the size has changed, or others have drawn."""
        self._drawn = []
        self._write("\x1b[2J")

    def _rendered(self, line: Line) -> str:
        with self._console.capture() as capture:
            self._console.print(rich_text(line), end="", no_wrap=True, crop=True, soft_wrap=False)
        return capture.get()

    def _write(self, text: str) -> None:
        data = text.encode(self._console.encoding, "replace")
        while data:
            data = data[os.write(self._target, data) :]


def rich_text(line: Line) -> Text:
    """Return a line as rich has it."""
    return Text.assemble(*line)


def picture(lines: Sequence[Line], width: int, title: str) -> str:
    """Return the screen as an SVG document that refers to nothing outside of it."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        console = Console(
            record=True,
            file=nowhere,
            width=width,
            force_terminal=True,
            color_system="truecolor",
            highlight=False,
        )
        for line in lines:
            console.print(rich_text(line), no_wrap=True, crop=True)
    svg = console.export_svg(title=title, unique_id="top")
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.S)  # they name a font on a server
