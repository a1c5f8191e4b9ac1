"""What happens to the files of some folders, by name, from inotify(7)."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterator

#: A file was written, made, removed, or moved here or away.
WRITTEN, MADE, REMOVED, MOVED = 0x2, 0x100, 0x200, 0x40 | 0x80

_EVENT = struct.Struct("iIII")  # watch, mask, cookie, length of the name

_libc = ctypes.CDLL(None, use_errno=True)


class FolderEvents:
    """Watches folders; ``descriptor`` becomes readable when something happens in one."""

    def __init__(self) -> None:
        """Watch nothing yet.

        Raises:
            OSError: the user has too many instances.
        """
        self._paths: dict[int, str] = {}
        self.descriptor = _checked(_libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))

    def add(self, path: str, mask: int) -> None:
        """Watch one more folder for what ``mask`` names.

        Raises:
            OSError: there is none, or the user has too many watches.
        """
        watch = _checked(_libc.inotify_add_watch(self.descriptor, os.fsencode(path), mask))
        self._paths[watch] = path

    def read(self) -> Iterator[str]:
        """Yield the paths at which something happened since the last call."""
        try:
            told = os.read(self.descriptor, 65536)
        except BlockingIOError:
            return
        while told:
            watch, _, _, length = _EVENT.unpack_from(told)
            name, told = told[_EVENT.size : _EVENT.size + length], told[_EVENT.size + length :]
            yield os.path.join(self._paths.get(watch, ""), os.fsdecode(name.rstrip(b"\0")))


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
