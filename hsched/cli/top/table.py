"""The queue as a table that fits: columns go, commands are shortened, numbers are not.  Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

from hsched.cli.styles import state_style
from hsched.cli.top.board import Row
from hsched.cli.top.slotmap import Glyphs
from hsched.cli.top.text import Line, Span, padded, shortened, size, span_of_time, widest


class Usage(NamedTuple):
    """What a job uses now: percent of one core, bytes, bytes on GPUs, percent of its GPUs.

    None where it is not known.
    """

    cpu: float | None = None
    memory: int | None = None
    gpu_memory: int | None = None
    gpu_busy: int | None = None


#: The columns as they stand, and in which order they go where there is no room.
_COLUMNS = ("ID", "STATE", "PRIO", "SLOTS", "TIME", "CPU%", "MEM", "GPU", "NAME", "COMMAND", "WHY")
_GO_FIRST = ("NAME", "PRIO", "SLOTS", "GPU", "TIME", "MEM", "CPU%", "STATE")
_RIGHT = ("ID", "PRIO", "TIME", "CPU%", "MEM")
_LEAST = {"ID": 4, "STATE": 9, "SLOTS": 5, "TIME": 7, "CPU%": 5, "MEM": 5}
#: The columns that are there without anything in them.
_ALWAYS, _OF_RUNNING = ("ID", "STATE", "SLOTS", "COMMAND"), ("TIME", "CPU%", "MEM")
_WIDEST = {"NAME": 24, "SLOTS": 20}
#: What COMMAND has at least; and beside WHY, which is there if both get this.
_COMMAND, _ENOUGH, _WHY = 12, 28, 30


class Look(NamedTuple):
    """What a table needs to know besides its rows."""

    usage: Mapping[str, Usage]
    now: float
    width: int
    selected: str | None
    glyphs: Glyphs


def table_lines(rows: Sequence[Row], look: Look) -> list[Line]:
    """Return a header and a line for each row, all of the full width."""
    cells = [_cells(row, look) for row in rows]
    always = [*_ALWAYS, *(_OF_RUNNING if any(row.runs for row in rows) else ())]
    widths = _widths(cells, look.width - 2, always)
    header = "  " + "  ".join(padded(t, w, t in _RIGHT) for t, w in widths.items())
    lines: list[Line] = [((padded(header, look.width), "bold underline"),)]
    for row, one in zip(rows, cells, strict=True):
        lines.append(_line(row, one, widths, look))
    return lines


def _cells(row: Row, look: Look) -> dict[str, str]:
    used = look.usage.get(row.id, Usage()) if row.runs else Usage()
    since = row.started if row.runs else None
    return {
        "ID": row.id,
        "STATE": row.word,
        "PRIO": str(row.priority) if row.priority else "",
        "SLOTS": row.slots,
        "TIME": "" if since is None else span_of_time(look.now - since),
        "CPU%": "" if used.cpu is None else f"{used.cpu:.0f}",
        "MEM": "" if used.memory is None else size(used.memory),
        "GPU": _gpu(used),
        "NAME": row.name,
        "COMMAND": row.command,
        "WHY": why(row),
    }


def why(row: Row) -> str:
    """Return why a job waits and until when, or how it ended, where that is known."""
    if row.state == "pending" and row.expected:
        moment = datetime.fromisoformat(row.expected.replace("Z", "+00:00")).astimezone()
        return f"{row.reason}; expected to start {moment:%m-%d %H:%M}"
    return row.reason


def _gpu(used: Usage) -> str:
    busy = "" if used.gpu_busy is None else f"{used.gpu_busy}%"
    memory = "" if used.gpu_memory is None else size(used.gpu_memory)
    return f"{busy} {memory}".strip()


def _widths(
    cells: Sequence[Mapping[str, str]], width: int, always: Sequence[str]
) -> dict[str, int]:
    """Return the columns that there is room for, and how wide they are."""
    wanted = {
        title: max(len(title), _LEAST.get(title, 0), widest([one[title] for one in cells]))
        for title in _COLUMNS
        if title in always or any(one[title] for one in cells)
    }
    for title, most in _WIDEST.items():
        if title in wanted:
            wanted[title] = min(wanted[title], most)
    commands, reasons = wanted["COMMAND"], wanted.get("WHY", 0)
    if reasons:
        wanted |= {"COMMAND": min(commands, _ENOUGH), "WHY": _WHY}
        if _taken(wanted) > width:
            del wanted["WHY"]
    wanted["COMMAND"] = min(commands, _ENOUGH if "WHY" in wanted else _COMMAND)
    for title in _GO_FIRST:
        if _taken(wanted) > width:
            wanted.pop(title, None)
    left = width - _taken(wanted)
    if "WHY" in wanted:  # the reason gets what the command leaves, the command the rest
        more = max(0, min(left, commands - wanted["COMMAND"], left // 2 + max(0, _WHY - reasons)))
        wanted["COMMAND"] += more
        wanted["WHY"] += left - more
    else:
        wanted["COMMAND"] = max(1, wanted["COMMAND"] + left)
    return wanted


def _taken(widths: Mapping[str, int]) -> int:
    return sum(widths.values()) + 2 * (len(widths) - 1)


def _line(row: Row, cells: Mapping[str, str], widths: Mapping[str, int], look: Look) -> Line:
    chosen = row.id == look.selected
    base = "reverse" if chosen else "dim" if row.state == "done" else ""
    spans: list[Span] = [(f"{look.glyphs.sign} " if chosen else "  ", base)]
    more = look.glyphs.more
    for number, (title, width) in enumerate(widths.items()):
        text = _cut(title, cells[title], width, more)
        style = state_style(row.word) if title == "STATE" and not chosen else ""
        spans.append((padded(text, width, title in _RIGHT), f"{base} {style}".strip()))
        if number < len(widths) - 1:
            spans.append(("  ", base))
    return tuple(spans)


def _cut(title: str, text: str, width: int, more: str) -> str:
    """Return a cell that fits: a command without its middle, a reason without its end."""
    if title != "WHY" or cell_len(text) <= width:
        return shortened(text, width, more)
    return set_cell_size(text, max(0, width - len(more))) + more
