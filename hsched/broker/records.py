"""The records of one run: the files in which shims write down how their jobs go.

Each shim holds the lock of its record as long as it lives.  So a free lock proves
that no shim is there, whatever was killed, and the record tells how far it came.

Making a file costs a file system more than all else that a start takes, so the
record of a job that is done becomes that of a later one: it is emptied, then renamed.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import time
from collections.abc import Set

from hsched.core.model import JobId, format_job_id
from hsched.native.record import RECORD_SIZE, Record, read_record

_EMPTY = bytes(RECORD_SIZE)

#: How long a shim that was just being started may take to write its name, in seconds.
_SHIM_START_S = 5.0

#: More than these are removed: as many jobs seldom end before the next one starts.
_SPARES = 64


class Records:
    """The records in ``folder``, made for a start and kept for the next when they are spent."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._spares: set[str] = set()

    def path(self, job_id: JobId, attempt: int) -> str:
        """Return the path of the record of one attempt at a job."""
        return self._join(name(job_id, attempt))

    def take(self, path: str) -> int:
        """Return a descriptor of the empty record at ``path``, which holds its lock.

        Raises:
            OSError: it could not be made; there is none at ``path`` then.
        """
        self._spares.discard(path)  # a start that did not come about may have left it
        while self._spares:
            with contextlib.suppress(OSError):
                return self._reuse(self._spares.pop(), path)
        return _make(path)

    def take_any(self) -> tuple[str, int]:
        """Return the path of an empty record for which no name was chosen, as :meth:`take` does.

        Raises:
            OSError: it could not be made; nothing is left.
        """
        while self._spares:
            path = self._spares.pop()
            with contextlib.suppress(OSError):
                return path, _emptied(path)
        names = (f"offer-{number}" for number in itertools.count(1))
        path = next(path for path in map(self._join, names) if not os.path.exists(path))
        return path, _make(path)

    def hand_on(self, spent: str, path: str) -> None:
        """Make the record of a job that is done that of another, whose shim is the same.

        Raises:
            OSError: it could not be; there is none at ``path`` then.
        """
        self._spares.discard(path)
        descriptor = os.open(spent, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.pwrite(descriptor, _EMPTY, 0)
        finally:
            os.close(descriptor)
        os.rename(spent, path)

    def spent(self, path: str) -> None:
        """Take back the record of a job whose end is on disk."""
        if len(self._spares) < _SPARES:
            self._spares.add(path)
        else:
            remove(path)

    def sweep(self, needed: Set[str]) -> None:
        """Remove all records but those whose paths are ``needed``: a killed broker left them.

        None of them is kept for another: it may have the name of a job that is yet to start.
        """
        self._spares.clear()
        for name in os.listdir(self.folder):
            path = os.path.join(self.folder, name)
            if path not in needed:
                remove(path)

    def forget_spares(self) -> None:
        """Remove what nobody needs any more."""
        while self._spares:
            remove(self._spares.pop())

    def _join(self, entry: str) -> str:
        return os.path.join(self.folder, entry)

    def _reuse(self, spare: str, path: str) -> int:
        """Empty first, then rename: never is there an old ending under the new name."""
        descriptor = _emptied(spare)
        try:
            os.rename(spare, path)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor


def name(job_id: JobId, attempt: int) -> str:
    """Return what the record of one attempt at a job is called, by its path or in itself."""
    return f"{format_job_id(job_id)}-{attempt}"


def _emptied(spare: str) -> int:
    """Empty a record, and hold its lock; what somebody still holds stays as it is."""
    descriptor = os.open(spare, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.pwrite(descriptor, _EMPTY, 0)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _make(path: str) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    try:
        # Filled now, so that a disk which is full later does not cost the exit status.
        os.pwrite(descriptor, _EMPTY, 0)
    except OSError:
        os.close(descriptor)
        remove(path)
        raise
    return descriptor


def pid_of_holder(path: str) -> int | None:
    """Return the pid that the holder of a record has written there, None if it has let go."""
    deadline = time.monotonic() + _SHIM_START_S
    while is_held(path) and time.monotonic() < deadline:
        record = read(path)
        if record is not None and record.started is not None:
            return record.started.pid
        time.sleep(0.001)  # it was being started a moment ago
    return None


def remove(path: str) -> None:
    """Remove a record, if it is there."""
    with contextlib.suppress(OSError):
        os.unlink(path)


def read(path: str) -> Record | None:
    """Return the record at ``path``, None where there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return read_record(os.read(descriptor, RECORD_SIZE))
    finally:
        os.close(descriptor)


def is_held(path: str) -> bool:
    """Return whether a shim holds the record at ``path``."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return is_locked(descriptor)
    finally:
        os.close(descriptor)


def is_locked(descriptor: int) -> bool:
    """Return whether somebody else has the lock of an open record."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return False
