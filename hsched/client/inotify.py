"""Waking up when a file grows, comes into being or is let go of, by inotify(7).

On a file system that other hosts share nobody tells what they write: there one looks each
second.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
from collections.abc import Iterator

from hsched import paths

_IN_MODIFY, _IN_CLOSE_WRITE, _IN_MOVED_TO, _IN_CREATE = 0x2, 0x8, 0x80, 0x100
_IN_ATTRIB, _IN_CLOSE = 0x4, 0x18

#: What :class:`FolderEvents` tells: a file was written, made, removed, or moved here or away.
WRITTEN, MADE, REMOVED, MOVED = 0x2, 0x100, 0x200, 0x40 | 0x80

_EVENT = struct.Struct("iIII")  # watch, mask, cookie, length of the name

_libc = ctypes.CDLL(None, use_errno=True)


class _Timer(ctypes.Structure):
    """``struct itimerspec``: the pause, and when it ends first, in seconds and nanoseconds."""

    _fields_ = [(name, ctypes.c_long) for name in ("pause_s", "pause_ns", "first_s", "first_ns")]


class Growth:
    """Watches one path: the file, or the nearest folder that exists as long as it does not.

    ``descriptor`` becomes readable when there may be more of the file than before.
    """

    def __init__(self, path: str) -> None:
        """Watch nothing yet; :meth:`renew` begins.

        Raises:
            OSError: the user has too many watches.
        """
        self._path = os.fsencode(os.path.abspath(path))
        self._watched: bytes | None = None
        self._watch = -1
        self._looks = paths.is_on_network(os.fsdecode(self._path))
        self.descriptor = _ticks() if self._looks else _new()

    def __enter__(self) -> Growth:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)

    def renew(self) -> None:
        """Forget what was told so far, and watch on; look at the file after this call."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.descriptor, 65536)
        if self._looks:
            return
        # Again until nothing has come into being between the look and the watch.
        while (nearest := self._nearest()) != self._watched:
            if self._watched is not None:
                _libc.inotify_rm_watch(self.descriptor, self._watch)
                self._watched = None
            mask = _IN_MODIFY if nearest == self._path else _IN_CREATE | _IN_MOVED_TO
            with contextlib.suppress(FileNotFoundError):
                self._watch = _checked(_libc.inotify_add_watch(self.descriptor, nearest, mask))
                self._watched = nearest

    def _nearest(self) -> bytes:
        path = self._path
        while not os.path.exists(path) and path != b"/":
            path = os.path.dirname(path)
        return path


class Changes:
    """``descriptor`` becomes readable when a process touches or closes the file at a path."""

    def __init__(self, path: str) -> None:
        """Watch from now on.

        Raises:
            OSError: there is no such file, or the user has too many watches.
        """
        self.descriptor = _new()
        mask = _IN_ATTRIB | _IN_CLOSE
        _checked(_libc.inotify_add_watch(self.descriptor, os.fsencode(path), mask))

    def __enter__(self) -> Changes:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)

    def read(self) -> None:
        """Forget what was told so far."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.descriptor, 65536)


def _new() -> int:
    return _checked(_libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))


def _ticks() -> int:
    """Return a descriptor that becomes readable once a second."""
    monotonic = 1
    descriptor = _checked(_libc.timerfd_create(monotonic, os.O_NONBLOCK | os.O_CLOEXEC))
    _libc.timerfd_settime(descriptor, 0, ctypes.byref(_Timer(1, 0, 1, 0)), None)
    return descriptor


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


class Folders:
    """Watches folders for files that come into being or grow in them.

    ``descriptor`` becomes readable when there may be news; -1 where the user has no
    inotify left, and then nothing can be added.
    """

    def __init__(self) -> None:
        self._watches: dict[str, int] = {}
        try:
            self.descriptor = _new()
        except OSError:
            self.descriptor = -1

    def add(self, folder: str, closing: bool = False) -> bool:
        """Watch a folder that is there; False where that cannot be, and one has to look.

        The user may have no watches left, or other hosts may write there.

        ``closing`` means to watch for files that are closed after writing, and nothing else.
        """
        if paths.is_on_network(os.path.abspath(folder)):
            return False
        mask = _IN_CLOSE_WRITE if closing else _IN_MODIFY | _IN_CREATE | _IN_MOVED_TO
        try:
            path = os.fsencode(folder)
            self._watches[folder] = _checked(_libc.inotify_add_watch(self.descriptor, path, mask))
        except OSError:
            return False
        return True

    def remove(self, folder: str) -> None:
        """Watch a folder no more, where it was."""
        if (watch := self._watches.pop(folder, None)) is not None:
            _libc.inotify_rm_watch(self.descriptor, watch)

    def forget_news(self) -> None:
        """Forget what was told so far; look at the folders after this call."""
        if self.descriptor >= 0:
            with contextlib.suppress(BlockingIOError):
                os.read(self.descriptor, 65536)

    def close(self) -> None:
        """Watch nothing any more."""
        if self.descriptor >= 0:
            os.close(self.descriptor)


class FolderEvents:
    """What happens to the files of folders, by name; ``descriptor`` becomes readable then.

    What other hosts do in a folder is not told.
    """

    def __init__(self) -> None:
        """Watch nothing yet.

        Raises:
            OSError: the user has too many instances.
        """
        self._paths: dict[int, str] = {}
        self.descriptor = _new()

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

    def close(self) -> None:
        """Watch nothing any more."""
        os.close(self.descriptor)
