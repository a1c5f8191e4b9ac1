"""The record: what a shim writes down about its job, and how to read it.

A record is a file of :data:`RECORD_SIZE` bytes that the broker makes, fills
with NULs and locks before the start; the shim writes one line of text into each
slot, with one write a slot.  ``shim.c`` states what the lines mean.

Promise: a slot that is empty, torn or garbled reads as ``None``, never as
something that did not happen.
"""

from __future__ import annotations

import enum
import re
from typing import NamedTuple

RECORD_SIZE = 512

_STARTED = slice(0, 128)
_COMMAND = slice(128, 192)
_ENDING = slice(192, 448)
_MEMORY = slice(448, 512)

_SLOT_END = rb"\n\0*"
_STARTED_LINE = re.compile(
    rb"started v1 (\d{1,10}) (\d{1,18}) ([0-9a-f-]{1,64})(?: ([0-9.-]{1,40}))?" + _SLOT_END
)
_COMMAND_LINE = re.compile(rb"command (\d{1,10}) (\d{1,18})" + _SLOT_END)
_CHOOSING = b"choosing\n"
_ENDED_LINE = re.compile(
    rb"(exited|signalled) (\d{1,3}) (\d{1,18}) (\d{1,18}) (\d{1,18}) ([-012])" + _SLOT_END
)
_FAILED_LINE = re.compile(rb"spawnfailed (\d{1,4}) ([a-z]{1,16})" + _SLOT_END)
_MEMORY_LINE = re.compile(rb"memory (\d{1,18})" + _SLOT_END)


class Left(enum.IntEnum):
    """What the first process left of its tree when it ended."""

    NOTHING = 0
    #: Something was left, and the shim has ended it.
    ENDED = 1
    #: Something was left and runs on, as the plan asked.
    RUNNING = 2


_LEFT = {b"-": None, b"0": Left.NOTHING, b"1": Left.ENDED, b"2": Left.RUNNING}


class Started(NamedTuple):
    """The shim lives, or lived, under this identity."""

    pid: int
    #: Clock ticks since boot (field 22 of ``/proc/PID/stat``).
    start_time: int
    boot_id: str
    #: That of the record, where the shim took the job from the offers.
    name: str | None = None


class Command(NamedTuple):
    """The exec of the job's command succeeded; its first process."""

    pid: int
    start_time: int


class Usage(NamedTuple):
    """What the job has used; final once :attr:`left` is known."""

    cpu_us: int
    #: KiB of the largest single process.
    max_rss_kb: int
    #: Microseconds since the epoch at which the first process was reaped.
    ended_at_us: int
    #: ``None`` while the shim still ends what is left.
    left: Left | None


class Exited(NamedTuple):
    """The first process called exit."""

    status: int
    usage: Usage


class Signalled(NamedTuple):
    """A signal ended the first process."""

    signal: int
    usage: Usage


class SpawnFailed(NamedTuple):
    """The command never ran."""

    errno: int
    #: One of plan, fork, record, chdir, in, out, err, limits, exec.
    step: str


Ending = Exited | Signalled | SpawnFailed


class Record(NamedTuple):
    """A whole record.  ``ending`` is ``None`` for a job that runs or is lost."""

    started: Started | None
    command: Command | None
    ending: Ending | None
    #: Peak KiB of the job's whole tree, where it had a cgroup.
    tree_peak_kb: int | None
    #: The job is over, and the shim may be taking the next one.
    is_choosing: bool = False


def read_record(data: bytes) -> Record:
    """Return what ``data`` says; shorter or longer data is read as far as it goes."""
    return Record(
        _started(data[_STARTED]),
        _command(data[_COMMAND]),
        _ending(data[_ENDING]),
        _tree_peak(data[_MEMORY]),
        data[_COMMAND].startswith(_CHOOSING),
    )


def _started(slot: bytes) -> Started | None:
    line = _STARTED_LINE.fullmatch(slot)
    if line is None:
        return None
    name = None if line[4] is None else line[4].decode()
    return Started(int(line[1]), int(line[2]), line[3].decode(), name)


def _command(slot: bytes) -> Command | None:
    line = _COMMAND_LINE.fullmatch(slot)
    return line and Command(int(line[1]), int(line[2]))


def _ending(slot: bytes) -> Ending | None:
    if line := _ENDED_LINE.fullmatch(slot):
        kind, code, cpu_us, max_rss_kb, ended_at_us, left = line.groups()
        usage = Usage(int(cpu_us), int(max_rss_kb), int(ended_at_us), _LEFT[left])
        return (Exited if kind == b"exited" else Signalled)(int(code), usage)
    line = _FAILED_LINE.fullmatch(slot)
    return line and SpawnFailed(int(line[1]), line[2].decode())


def _tree_peak(slot: bytes) -> int | None:
    line = _MEMORY_LINE.fullmatch(slot)
    return line and int(line[1])


#: What a record says that nobody has written to, or that is not there.
NOTHING = read_record(b"")
