"""The exit status that stands for how a job ended.  Pure."""

from __future__ import annotations

from collections.abc import Iterable
from errno import ENOENT

from hsched.wire.subscribe import Change

TIMED_OUT = 124
#: Lost, cancelled, dependency failed; or hsched itself could not do it.
NOT_DONE = 125
NOT_EXECUTABLE = 126
NOT_FOUND = 127


def status(ending: Change) -> int:
    """Return the status of one job: its own where it ended by itself."""
    if ending.outcome == "timed out":
        return TIMED_OUT
    if ending.outcome == "spawn failed":
        return NOT_FOUND if ending.errno == ENOENT else NOT_EXECUTABLE
    if ending.outcome == "signalled" and ending.signal is not None:
        return 128 + ending.signal
    if ending.outcome in ("succeeded", "failed") and ending.exit_status is not None:
        return ending.exit_status
    return NOT_DONE


def largest(endings: Iterable[Change]) -> int:
    """Return the largest status of several jobs; 0 for none."""
    return max(map(status, endings), default=0)
