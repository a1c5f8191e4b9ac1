"""What a job has written, and what it goes on to write."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from hsched.errors import Refused
from hsched.wire.jobs import JobView
from hsched.wire.message import raw

if TYPE_CHECKING:
    from hsched.client.client import Client

_BLOCK = 65536


def contents(job: JobView, err: bool, last: int | None) -> Iterator[bytes]:
    """Yield what a job has written so far, of the ``last`` N lines only.

    Raises:
        Refused: there is no such file.
    """
    path = _path(job, err)
    file = _opened(path)
    if file is None:
        raise Refused(_nothing(job, path))
    with file:
        file.seek(_start(file, last))
        yield from _rest(file)


def follow(client: Client, job: JobView, err: bool, last: int | None) -> Iterator[bytes]:
    """Yield what a job has written, and then what it writes until it is done.

    Raises:
        Refused: the job is done and there is no such file.
    """
    from hsched.client.inotify import Growth  # for the few who follow

    path, file = _path(job, err), None
    with Growth(path) as growth, client.subscribe([job.id]) as changes:
        is_over = False
        while True:
            growth.renew()
            if file is None and (file := _opened(path)) is not None:
                file.seek(_start(file, last))
            if file is not None:
                yield from _rest(file)
            if is_over:
                break
            page = changes.page(growth.descriptor)
            is_over = page is None or any(change.state == "done" for change in page)
    if file is None:
        raise Refused(_nothing(next(client.jobs(job.id, scope="all")), path))
    file.close()


def _path(job: JobView, err: bool) -> str:
    path = job.err if err else job.out
    if path is None:
        raise Refused(f"job {job.id} writes where its caller does; there is no log of it here")
    return os.fsdecode(raw(path))


def _opened(path: str) -> IO[bytes] | None:
    """Return the file, None where there is none.

    Raises:
        Refused: it is none that can be read again, a pipe or a terminal.
    """
    try:
        # A pipe that nobody writes to must not block us.
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY), "rb")
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise Refused(f"{path} is no plain file; what went there cannot be shown")
    return file


def _rest(file: IO[bytes]) -> Iterator[bytes]:
    """Yield from where the file stands to its end; from its start where it was truncated."""
    if os.fstat(file.fileno()).st_size < file.tell():
        file.seek(0)
    while block := file.read(_BLOCK):
        yield block


def _start(file: IO[bytes], last: int | None) -> int:
    """Return where the ``last`` N lines begin, reading the file from its end."""
    if last is None:
        return 0
    position = size = os.fstat(file.fileno()).st_size
    wanted = last + 1  # the newline before them; that at the very end ends the last one
    while position > 0:
        begin = max(0, position - _BLOCK)
        file.seek(begin)
        block = file.read(position - begin)
        if position == size and block[-1:] != b"\n":
            wanted -= 1
        end = len(block)
        while wanted and (end := block.rfind(b"\n", 0, end)) >= 0:
            wanted -= 1
        if not wanted:
            return begin + end + 1 if last else size
        position = begin
    return 0 if last else size


def _nothing(job: JobView, path: str) -> str:
    if job.state in ("pending", "starting"):
        return f"job {job.id} is {job.state} and has written nothing yet; `hlog -f` waits for it"
    if job.started_at is None or job.outcome == "spawn failed":
        why = f": {job.reason}" if job.reason else ""
        return f"job {job.id} has written nothing: it never ran ({job.outcome}{why})"
    return f"job {job.id} wrote to {path}, which is not there"
