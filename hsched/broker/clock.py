"""The two clocks: monotonic seconds for deadlines, wall seconds for stamps."""

from __future__ import annotations

import time
from datetime import datetime


def monotonic() -> float:
    """Return seconds that never go back; only differences mean anything."""
    return time.monotonic()


def wall() -> float:
    """Return seconds since the epoch; for people, never compared."""
    return time.time()


def boot_id() -> str:
    """Return the kernel's name for this life of the machine."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def stamp(at: float | None) -> str | None:
    """Return a wall time as local ISO 8601 with offset, to the millisecond."""
    if at is None:
        return None
    return datetime.fromtimestamp(at).astimezone().isoformat(timespec="milliseconds")


def told(at: float, now: float) -> str:
    """Return a wall time as people say it: ``14:05``, with the date where it is another day."""
    moment, today = datetime.fromtimestamp(at), datetime.fromtimestamp(now).date()
    return moment.strftime("%H:%M" if moment.date() == today else "%Y-%m-%d %H:%M")


def run_name(pattern: str) -> str:
    """Return the folder name of a run that starts now, as strftime(3) writes ``pattern``."""
    return datetime.now().strftime(pattern)
