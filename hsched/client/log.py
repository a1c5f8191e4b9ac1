"""What a job has written, and what it goes on to write."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, TYPE_CHECKING

from hsched.errors import Refused
from hsched.wire.jobs import JobView
from hsched.wire.message import raw
from hsched.wire.subscribe import Change

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
    with Tail(job, err, last) as tail, client.subscribe([job.id]) as changes:
        yield from tail.blocks()
        while not tail.is_over:
            tail.hear(changes.page(tail.descriptor))
            yield from tail.blocks()
    if not tail.has_file:
        raise tail.missing(next(client.jobs(job.id, scope="all")))


class Tail:
    """The end of a file that a job writes, which need not be there yet."""

    def __init__(self, job: JobView, err: bool, last: int | None) -> None:
        from hsched.client.inotify import Growth  # for the few who follow

        self._path, self._last = _path(job, err), last
        self._file: IO[bytes] | None = None
        self._growth = Growth(self._path)
        self.is_over = False

    def __enter__(self) -> Tail:
        self._growth.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._growth.__exit__()
        if self._file is not None:
            self._file.close()

    @property
    def descriptor(self) -> int:
        """What becomes readable when the file has grown."""
        return self._growth.descriptor

    @property
    def has_file(self) -> bool:
        """Whether there was a file."""
        return self._file is not None

    def blocks(self) -> Iterator[bytes]:
        """Yield what is there and was not yielded before."""
        self._growth.renew()
        if self._file is None and (file := _opened(self._path)) is not None:
            file.seek(_start(file, self._last))
            self._file = file
        if self._file is not None:
            yield from _rest(self._file)

    def hear(self, page: Sequence[Change] | None) -> None:
        """Take note of what became of the job; None where the time is up."""
        self.is_over = page is None or any(change.state == "done" for change in page)

    def missing(self, job: JobView) -> Refused:
        """Return the error for a job that has written no file."""
        return Refused(_nothing(job, self._path))


def only(found: Iterable[JobView]) -> JobView | None:
    """Return the newest of two jobs, None where each of them has a file of its own."""
    *others, job = found
    if others and (others[0].out, others[0].err) != (job.out, job.err):
        return None
    return job


def several(word: str, first: JobView) -> Refused:
    """Return the error for a word that means several jobs."""
    return Refused(f"{word} means several jobs; name one, such as {first.id}")


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
