"""One live shim, and what it tells on its line."""

from __future__ import annotations

import contextlib
import select
from collections.abc import Iterable
from dataclasses import dataclass
from socket import MSG_DONTWAIT, socket
from typing import NamedTuple

from hsched.core.model import JobId
from hsched.native.record import RECORD_SIZE, Record, read_record

#: A shim that is there already takes no longer plan (``LONGEST_PLAN`` in ``shim.h``).
LONGEST_PLAN = 65536

#: The record and the answer to an offer (``line.c``).
_LONGEST_TALE = RECORD_SIZE + 64


class Told(NamedTuple):
    """What a shim tells when its job is over, and what it has done about an offer.

    The ``answer`` is ``+ID`` for the job that it goes on with, empty where there is none
    (``offer.c``).
    """

    record: Record
    answer: str = ""


@dataclass(slots=True, eq=False)
class Shim:
    """A live shim, with or without a job."""

    job_id: JobId
    record: str
    pid: int
    pidfd: int
    #: On which it tells that its job is over; without it, its end tells.
    line: socket | None
    #: The job may leave processes behind.
    leaves: bool = False
    #: A signal may still be on its way to it, so it gets no other job.
    signalled: bool = False
    #: So often it will tell what its record has told already.
    foretold: int = 0
    #: Nobody needs its record any more.
    is_spent: bool = False

    def read_line(self) -> Told | None:
        """Return what it tells of the job that is over, None at the end of the line.

        Raises:
            BlockingIOError: it tells nothing yet.
        """
        told = b""
        if self.line is not None:
            with contextlib.suppress(ConnectionError):
                told = self.line.recv(_LONGEST_TALE, MSG_DONTWAIT)
        answer = told[RECORD_SIZE:].decode()
        return Told(read_record(told[:RECORD_SIZE]), answer) if told else None

    def take(self, plan: bytes, path: str) -> None:
        """Start another job, whose record has its new name.

        Raises:
            OSError: the shim is gone; it has started nothing.
        """
        assert self.line is not None, "only a shim with a line rests"
        self.record = path
        self.line.send(plan)


def listen(shims: Iterable[Shim], wait_ms: int) -> list[tuple[Shim, Told | None]]:
    """Return what shims tell, one word of each that tells something within ``wait_ms``."""
    lines = {shim.line.fileno(): shim for shim in shims if shim.line is not None}
    listening = select.poll()
    for line in lines:
        listening.register(line, select.POLLIN)
    return [(lines[line], lines[line].read_line()) for line, _ in listening.poll(wait_ms)]


def taker_of(record: Record, shims: Iterable[Shim]) -> Shim | None:
    """Return which of ``shims`` has written itself into the record of an offer."""
    if record.started is None:
        return None
    pid = record.started.pid
    return next((shim for shim in shims if shim.pid == pid), None)
