"""Small files of the kernel, and how a step fails."""

from __future__ import annotations

import errno
import os


class Failed(Exception):
    """A step before the exec could not be done."""

    def __init__(self, step: str, error: int) -> None:
        self.step, self.error = step, error


class Step:
    """Names the step that an error of the system belongs to."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, error: object, _trace: object) -> None:
        if isinstance(error, OSError):
            raise Failed(self._name, error.errno or errno.EIO)


def read_head(path: bytes) -> bytes | None:
    """Return the first 4 KiB of a file, ``None`` if it cannot be read."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        return os.read(fd, 4096)
    except OSError:
        return None
    finally:
        os.close(fd)


def write_text(path: bytes, text: bytes) -> None:
    """Write ``text`` to a file that exists, best effort."""
    try:
        fd = os.open(path, os.O_WRONLY)
    except OSError:
        return
    try:
        os.write(fd, text)
    except OSError:
        return
    finally:
        os.close(fd)
