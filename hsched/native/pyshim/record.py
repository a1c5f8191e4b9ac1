"""The record: a line of text in each slot, the rest of the slot NUL."""

from __future__ import annotations

import os

from .files import read_head
from .tree import stat_fields

RECORD_FD = 4
STARTED, COMMAND, ENDING, MEMORY = (0, 128), (128, 64), (192, 256), (448, 64)


def record_write(slot: tuple[int, int], line: str) -> None:
    """Write one slot whole.  What cannot be written reads as lost; the job goes on."""
    offset, size = slot
    try:
        os.pwrite(RECORD_FD, line.encode().ljust(size, b"\0"), offset)
    except OSError:
        return


def record_started() -> None:
    """Say who this shim is."""
    boot_id = read_head(b"/proc/sys/kernel/random/boot_id") or b"-"
    fields = stat_fields(os.getpid())
    ticks = int(fields[19]) if fields else 0
    record_write(STARTED, f"started v1 {os.getpid()} {ticks} {boot_id.decode().strip()}\n")
