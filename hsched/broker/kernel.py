"""The two calls of the kernel that Python lacks: prctl(2) and inotify(7)."""

from __future__ import annotations

import ctypes
import os
import struct
from typing import NamedTuple

_libc = ctypes.CDLL(None, use_errno=True)

_PR_SET_CHILD_SUBREAPER = 36
_IN_NONBLOCK, _IN_CLOEXEC = os.O_NONBLOCK, os.O_CLOEXEC
_IN_MOVED_FROM, _IN_DELETE, _IN_DELETE_SELF, _IN_MOVE_SELF = 0x40, 0x200, 0x400, 0x800
_EVENT = struct.Struct("iIII")


def become_subreaper() -> None:
    """Inherit the orphans of our shims, so that a killed shim does not hide its tree."""
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Removal(NamedTuple):
    """A name that was removed from a watched folder, "" for the folder itself."""

    watch: int
    name: str


class Removals:
    """Tells which files were removed from some folders.

    ``descriptor`` is readable when :meth:`read` has something.
    """

    def __init__(self) -> None:
        self.descriptor = _checked(_libc.inotify_init1(_IN_NONBLOCK | _IN_CLOEXEC))

    def watch(self, folder: str) -> int:
        """Watch ``folder`` and return the number that its removals carry.

        Raises:
            OSError: it cannot be watched.
        """
        mask = _IN_DELETE | _IN_MOVED_FROM | _IN_DELETE_SELF | _IN_MOVE_SELF
        return _checked(_libc.inotify_add_watch(self.descriptor, os.fsencode(folder), mask))

    def read(self) -> list[Removal]:
        """Return what was removed since the last call."""
        try:
            data = os.read(self.descriptor, 65536)
        except BlockingIOError:
            return []
        found = []
        while data:
            watch, _, _, length = _EVENT.unpack_from(data)
            name = data[_EVENT.size : _EVENT.size + length].rstrip(b"\0")
            found.append(Removal(watch, os.fsdecode(name)))
            data = data[_EVENT.size + length :]
        return found

    def close(self) -> None:
        """Stop watching."""
        os.close(self.descriptor)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
