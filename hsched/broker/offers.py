"""Offers: jobs that are next in line, laid out for the first shim whose job is over.

Between the end of a job and the start of the next lie a wake-up of the broker, its
turn and a commit.  A shim that takes an offer waits for none of these: ``offer.c``
states what it does instead.  An offer can be taken once, by a shim or, when anything
else is to happen first, back by the broker; who reads it from the socket has it.
"""

from __future__ import annotations

import contextlib
import os
import socket
from typing import NamedTuple

from hsched.broker.records import is_locked
from hsched.core.model import JobId, parse_job_id
from hsched.native.plan import job_id_of
from hsched.native.record import RECORD_SIZE, Record, read_record


class Offer(NamedTuple):
    """One attempt at a job, and where its record is."""

    job_id: JobId
    attempt: int
    path: str


#: The first fields of a plan, with the id of the job, take no more bytes.
_BEGINNING = 64


class Offers:
    """What is laid out, in order, and not known to be taken."""

    def __init__(self) -> None:
        self._ours, self._shims = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (self._ours, self._shims):
            end.setblocking(False)
        self._out: dict[JobId, Offer] = {}
        #: Their records, open for us to look at, whatever becomes of the files.
        self._kept: dict[JobId, int] = {}

    @property
    def ids(self) -> list[JobId]:
        """The jobs that are laid out, in order."""
        return list(self._out)

    @property
    def out(self) -> list[Offer]:
        """The offers, in order."""
        return list(self._out.values())

    @property
    def for_shims(self) -> int:
        """The descriptor from which shims take offers."""
        return self._shims.fileno()

    def lay_out(self, offer: Offer, plan: bytes, record: int) -> None:
        """Let a shim start the job; its ``record`` is open, empty and locked.

        Raises:
            OSError: there is no room for another one.
        """
        kept = os.open(offer.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            socket.send_fds(self._ours, [plan], [record])
        except OSError:
            os.close(kept)
            raise
        self._out[offer.job_id], self._kept[offer.job_id] = offer, kept

    def is_held(self, offer: Offer) -> bool:
        """Return whether somebody has the record of an offer, or it is still there."""
        return is_locked(self._kept[offer.job_id])

    def record_of(self, offer: Offer) -> Record:
        """Return what was written into the record of an offer."""
        return read_record(os.pread(self._kept[offer.job_id], RECORD_SIZE, 0))

    def told(self, job_id: JobId) -> Offer:
        """Return an offer of which a shim has told, and know it no more."""
        os.close(self._kept.pop(job_id))
        return self._out.pop(job_id)

    def take_back(self) -> list[Offer]:
        """Take back what no shim has taken; the others are still to be told of.

        Nothing is left to be taken back after :meth:`close`.
        """
        back: list[Offer] = []
        if self._shims.fileno() < 0:
            return back
        with contextlib.suppress(BlockingIOError):
            while True:  # a shim may take one in between
                beginning, records, _, _ = socket.recv_fds(self._shims, _BEGINNING, 1)
                for record in records:
                    os.close(record)
                back.append(self.told(parse_job_id(job_id_of(beginning))))
        return back

    def close(self) -> None:
        """Lay out nothing more; what shims have taken goes on."""
        for job_id in self.ids:
            self.told(job_id)
        self._ours.close()
        self._shims.close()
