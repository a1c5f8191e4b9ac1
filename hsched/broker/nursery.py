"""How shims come to be: forked by a nursery, or spawned one by one.

Either way in two steps: a shim is *prepared* while the decision to start its job
is on its way to the disk, and told to *go* once it is there.  A forked one has a
*line* to the broker, on which it tells that its job is over, and may be given another.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import struct
from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from hsched.native import nursery_argv, shim_argv

_FIRST_FD, _SECOND_FD = 3, 4

_REPLY = struct.Struct("i")

#: Lets the job start for which a shim was forked, see ``line.c``.
_GO = b"g"

#: As many answers lie in the socket until they are read; more could make both sides wait.
_UNREAD = 64


class Born(NamedTuple):
    """A shim that was told to go; ``line`` is None for one that ends with its job."""

    pid: int
    line: socket.socket | None


class NurseryLostError(Exception):
    """The nursery was killed; what it had prepared ends, and has started nothing."""


class Nursery:
    """Forks shims, each in a fraction of the time that loading a program takes.

    It is the compiled shim, loaded once; ``nursery.c`` states what it is told and what
    it answers.  Its shims are children of this process.
    """

    def __init__(self, program: str, offers: int) -> None:
        """``program`` is the compiled shim; it is loaded for the first job.

        ``offers`` is the descriptor from which its shims take offers.
        """
        self._program, self._offers = program, offers
        self._socket: socket.socket | None = None
        self._unanswered: deque[str] = deque()
        self._answers: dict[str, int] = {}
        self._lines: dict[str, socket.socket] = {}  # on which each shim waits
        self.pid: int | None = None

    #: Its shims tell when a job is over, and may go on with the next in line.
    has_lines = True

    def prepare(self, job_id: str, plan: int, record: int) -> None:
        """Have a shim made with these two descriptors; it waits for :meth:`go`.

        Raises:
            OSError: there was no room for it.
        """
        ours = self._socket or self._open()
        self._lines[job_id], theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            socket.send_fds(ours, [job_id.encode()], [plan, record, theirs.fileno()])
            self._unanswered.append(job_id)
        except ConnectionError:
            pass  # go() finds that out, when there is somebody to tell
        except OSError:
            self._lines.pop(job_id).close()
            raise
        finally:
            theirs.close()
        if len(self._unanswered) > _UNREAD:
            with contextlib.suppress(NurseryLostError):
                self._read_answer()

    def go(self, job_id: str) -> Born:
        """Have the job started; return its shim.

        Raises:
            NurseryLostError: somebody has killed the nursery; there is no shim.
            OSError: there was no room for a process; there is no shim.
        """
        line = self._lines.pop(job_id)
        try:
            while job_id not in self._answers:
                self._read_answer()
            answer = self._answers.pop(job_id)
            if answer < 0:
                raise OSError(-answer, os.strerror(-answer))
            with contextlib.suppress(BrokenPipeError):  # killed meanwhile: its record tells
                line.send(_GO)
        except BaseException:
            line.close()
            raise
        return Born(answer, line)

    def cancel(self) -> None:
        """Let all that was prepared and not told to go end without a trace."""
        for line in self._lines.values():
            line.close()
        self._lines.clear()
        with contextlib.suppress(NurseryLostError):
            while self._unanswered:
                self._read_answer()
        self._answers.clear()

    def close(self) -> None:
        """Let the nursery end; the shims that it has made go on."""
        self.cancel()
        self._lose()

    def _read_answer(self) -> None:
        try:
            reply = b"" if self._socket is None else self._socket.recv(_REPLY.size)
        except ConnectionError:
            reply = b""
        if not self._unanswered or len(reply) != _REPLY.size:
            self._lose()
            raise NurseryLostError
        (self._answers[self._unanswered.popleft()],) = _REPLY.unpack(reply)

    def _lose(self) -> None:
        self._unanswered.clear()
        if self._socket is not None:
            self._socket.close()
        self._socket = self.pid = None

    def _open(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self.pid = _spawn(self._program, nursery_argv(), (theirs.fileno(), self._offers))
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        self._socket = ours
        return ours


class Spawner:
    """Spawns each shim: the Python one, which nobody can fork from a fresh copy."""

    #: There is no process beside the shims.
    pid: int | None = None
    #: Its shims hold one job each, and take no offers.
    has_lines = False

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._prepared: dict[str, tuple[int, int]] = {}

    def prepare(self, job_id: str, plan: int, record: int) -> None:
        """Keep these two descriptors for :meth:`go`.

        Raises:
            OSError: there is no room for more descriptors.
        """
        kept = os.dup(plan)
        try:
            self._prepared[job_id] = kept, os.dup(record)
        except OSError:
            os.close(kept)
            raise

    def go(self, job_id: str) -> Born:
        """Start the shim, and return it.

        Raises:
            OSError: it could not be started.
        """
        given = self._prepared.pop(job_id)
        try:
            return Born(_spawn(self._command[0], shim_argv(self._command, job_id), given), None)
        finally:
            for descriptor in given:
                os.close(descriptor)

    def cancel(self) -> None:
        """Forget all that was prepared and not told to go."""
        for given in self._prepared.values():
            for descriptor in given:
                os.close(descriptor)
        self._prepared.clear()

    def close(self) -> None:
        """Keep nothing."""
        self.cancel()


def shim_source(command: Sequence[str], offers: int) -> Nursery | Spawner:
    """Return the faster of the two ways for ``command``, see :func:`hsched.native.shim_command`."""
    return Nursery(command[0], offers) if len(command) == 1 else Spawner(command)


def _spawn(program: str, argv: list[str], given: Sequence[int]) -> int:
    """Spawn ``program`` with ``given`` as 3 and 4, in a session of its own."""
    with contextlib.ExitStack() as stack:
        high = [stack.enter_context(_above(descriptor)) for descriptor in given]
        return os.posix_spawn(
            program,
            argv,
            {},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDWR, 0),
                (os.POSIX_SPAWN_DUP2, 0, 1),
                (os.POSIX_SPAWN_DUP2, 0, 2),
                *((os.POSIX_SPAWN_DUP2, one, _FIRST_FD + i) for i, one in enumerate(high)),
            ],
            setsid=True,
            setsigmask=signal.valid_signals(),  # until the shim is ready for them
        )


@contextlib.contextmanager
def _above(descriptor: int) -> Iterator[int]:
    """Have the same file above 3 and 4, which the spawn overwrites one after the other."""
    high = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _SECOND_FD + 1)
    try:
        yield high
    finally:
        os.close(high)
