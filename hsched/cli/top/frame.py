"""The whole screen, from what is known.  Pure: a board, figures and a size become lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from hsched.cli.top.board import Board
from hsched.cli.top.logview import LogView
from hsched.cli.top.slotmap import Glyphs, slot_lines
from hsched.cli.top.table import Look, Usage, table_lines, why
from hsched.cli.top.text import Line, Span, fitted, line, size

#: The map of the slots has no more than this part of the screen.
_MAP_PART = 3

_KEYS = (
    ("move", "{up_down}"),
    ("hold", "h"),
    ("release", "r"),
    ("kill", "k"),
    ("log", "l"),
    ("help", "?"),
    ("quit", "q"),
)
_LOG_KEYS = (("scroll", "{up_down}"), ("other stream", "e"), ("back", "q"))

HELP = (
    "{up_down}, Page Up, Page Down, Home, End: move",
    "h: hold, keep a pending job from starting",
    "r: release, let a held job start",
    "k: kill, end a job with everything it has started; asks first",
    "l or Enter: log, what a job has written and goes on to write",
    "e: the same of standard error",
    "q or Ctrl-C: quit; jobs go on",
    "",
    "Running jobs come first, then the last that have ended, then those that wait,",
    "in the order in which they are to start.",
    "CPU% is in percent of one core.",
    "MEM is the resident memory of all processes of a job.",
    "GPU is how busy its GPUs are, and the memory that its processes have there.",
    "The map shows each slot with the job that holds it; {free} is free, x drained.",
)


class Machine(NamedTuple):
    """How the machine does: percent of all cores, memory used and there is, in bytes."""

    cpu: float
    cores: int
    memory: int
    total: int


class Scene(NamedTuple):
    """All that a screen shows; of ``log``, ``confirm`` and ``help`` one at most."""

    board: Board
    usage: Mapping[str, Usage]
    machine: Machine | None
    now: float
    glyphs: Glyphs
    log: LogView | None = None
    confirm: str = ""
    help: bool = False


def frame(scene: Scene, width: int, height: int) -> list[Line]:
    """Return ``height`` lines of at most ``width`` cells; of a tiny screen what matters most."""
    if scene.log is not None:
        lines = scene.log.lines(width, max(1, height - 1))
        lines += [()] * (height - 1 - len(lines))
        return [*lines, _keys(_LOG_KEYS, scene, width)][:height]
    foot = [_told(scene, width), _keys(_KEYS, scene, width)]
    lines = [fitted(_head(scene), width)]
    if scene.help:
        lines += [(), *(line(_filled(text, scene.glyphs)) for text in HELP)]
    else:
        lines += _body(scene, width, height - len(lines) - len(foot))
    room = max(0, height - len(foot))
    lines = [fitted(one, width) for one in lines[:room]]
    return [*lines, *[()] * (room - len(lines)), *foot][:height]


def _body(scene: Scene, width: int, height: int) -> list[Line]:
    board = scene.board
    resources = () if board.status is None else board.status.resources
    space = (width, max(0, min(height // _MAP_PART, height - 3)))
    slots = slot_lines(resources, board.running(), board.selected, space, scene.glyphs)
    lines: list[Line] = [*slots, ()] if slots else []
    rows = board.settle(height - len(lines) - 1)
    look = Look(scene.usage, scene.now, width, board.selected, scene.glyphs)
    lines += table_lines(rows, look)
    if not rows and not board.reading and board.status is not None and not board.trouble:
        lines.append(line("  no jobs; submit one with `hsubmit`", "dim"))
    return lines


def _head(scene: Scene) -> Line:
    board = scene.board
    if board.trouble:
        return ((f"hsched {board.name}", "bold"), (f": {board.trouble}", "bold red"))
    parts = []
    if board.status is not None:
        jobs = board.status.jobs
        parts.append(f"{jobs.get('running', 0)} running, {jobs.get('pending', 0)} pending")
        if board.reading:
            parts.append("reading the queue")
        if board.status.stopping:
            parts.append("stopping")
    if (machine := scene.machine) is not None:
        parts.append(f"CPU {machine.cpu:.0f}% of {machine.cores}")
        parts.append(f"memory {size(machine.memory)} of {size(machine.total)}")
    return ((f"hsched {board.name}", "bold"), (": " if parts else "", ""), (", ".join(parts), ""))


def _told(scene: Scene, width: int) -> Line:
    """Return the line that asks, tells what was done, or why the selected job waits."""
    if scene.confirm:
        return fitted(line(scene.confirm, "bold red"), width)
    if scene.board.message:
        return fitted(line(scene.board.message, "bold"), width)
    row = scene.board.current()
    told = "" if row is None else why(row)
    return fitted(line(f"{row.title}: {told}" if row and told else ""), width)


def _keys(keys: tuple[tuple[str, str], ...], scene: Scene, width: int) -> Line:
    spans: list[Span] = []
    for word, key in keys:
        spans += [(f" {_filled(key, scene.glyphs)} ", "reverse"), (f" {word}  ", "")]
    return fitted(spans, width)


def _filled(text: str, glyphs: Glyphs) -> str:
    return text.format(up_down=glyphs.up_down, free=glyphs.free)
