"""Files that are whole or not there: atomic writes, whole lines, locks.

Everything works on a network disk as well: files are renamed into place, a lock
belongs to an open file and goes with its process, and a line counts once its
newline is there.
"""

from __future__ import annotations

import fcntl
import os
from types import TracebackType

Name = str | os.PathLike[str]


def write_whole(path: Name, text: str, mode: int = 0o666) -> None:
    """Put ``text`` into the file ``path``, which others see as it was or as it is now.

    ``mode`` is narrowed by the umask.

    Raises:
        OSError: it cannot be written; the old file is as it was.
    """
    target = os.fspath(path)
    beside = f"{target}.{os.getpid()}.tmp"
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        with open(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
        os.replace(beside, target)
    except BaseException:
        os.unlink(beside)
        raise


def read_text(path: Name) -> str | None:
    """Return what a file holds, None where there is none."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None


def append_line(path: Name, line: str) -> None:
    """Add one line to a file of lines, after cutting off half a line that a crash left.

    One writer at a time; readers see the whole line or nothing of it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
    try:
        _cut_half_line(descriptor)
        left = memoryview(line.encode("utf-8", "surrogateescape") + b"\n")
        while left:
            left = left[os.write(descriptor, left) :]
    finally:
        os.close(descriptor)


def _cut_half_line(descriptor: int) -> None:
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        written = os.pread(descriptor, size, 0)
        os.ftruncate(descriptor, written.rfind(b"\n") + 1)


def whole_lines(path: Name, offset: int = 0) -> tuple[list[str], int]:
    """Return the lines of a file from ``offset`` on, and where the next one begins.

    What has no newline yet is no line.  A file that is not there has none.
    """
    try:
        with open(path, "rb") as file:
            file.seek(offset)
            found = file.read()
    except FileNotFoundError:
        return [], offset
    whole = found[: found.rfind(b"\n") + 1]
    return whole.decode("utf-8", "surrogateescape").split("\n")[:-1], offset + len(whole)


def last_lines(path: Name, count: int) -> list[str]:
    """Return the last ``count`` lines of a file, none where there is no file."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 200 * count - 4096))
            return file.read().decode("utf-8", "replace").splitlines()[-count:]
    except OSError:
        return []


class Lock:
    """An exclusive lock on a file, which stays; it ends with :meth:`release` or its process."""

    def __init__(self, path: Name) -> None:
        self.path = os.fspath(path)
        self._descriptor = -1

    def try_acquire(self) -> bool:
        """Take the lock; False where somebody else holds it."""
        return self._take(fcntl.LOCK_EX | fcntl.LOCK_NB)

    def acquire(self) -> None:
        """Wait for the lock and take it."""
        self._take(fcntl.LOCK_EX)

    def release(self) -> None:
        """Give the lock back."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _take(self, how: int) -> bool:
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, how)
        except BlockingIOError:
            os.close(descriptor)
            return False
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return True

    def __enter__(self) -> Lock:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
