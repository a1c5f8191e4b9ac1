"""Spawn a shim as a broker does, and see what becomes of it.

Waits are on conditions, with a deadline that is generous because it is only
reached by a shim that is broken.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil

from hsched.native import shim_argv
from hsched.native.plan import Plan, encode_plan
from hsched.native.record import RECORD_SIZE, Record, read_record

DEADLINE = 20.0

#: A line that ends once there is a file `go`.
UNTIL_GO = "until test -e go; do sleep 0.01; done"

#: The number that asks a shim to send a signal to its whole tree.
ASK = 33

_PR_SET_CHILD_SUBREAPER = 36
_ABOVE = 10  # descriptors that a spawn moves to 3 and 4 must not be in their way


def until(holds: Callable[[], object], what: str = "it") -> None:
    """Return once ``holds()`` is true."""
    end = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.002)


def is_alive(pid: int) -> bool:
    """Whether ``pid`` is a process that has not ended."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@dataclass(frozen=True)
class Held:
    """One spawned shim."""

    pid: int
    pidfd: int
    record_fd: int
    record_path: Path

    @property
    def record(self) -> Record:
        """What the shim has written down so far."""
        return read_record(os.pread(self.record_fd, RECORD_SIZE, 0))

    def close(self) -> None:
        """Close what the test has open of it."""
        os.close(self.pidfd)
        os.close(self.record_fd)

    def wait(self) -> Record:
        """Wait for the end of the shim, which must be a good one; return its record."""
        assert self.wait_status() == 0, "the shim itself failed"
        return self.record

    def wait_status(self) -> int:
        """Wait for the end of the shim; return its wait status."""
        poller = select.poll()
        poller.register(self.pidfd, select.POLLIN)
        assert poller.poll(DEADLINE * 1000), f"the shim lives on: {self.record}"
        return os.waitpid(self.pid, 0)[1]

    def until_running(self) -> int:
        """Wait for the exec of the command; return the pid of the first process."""
        until(lambda: self.record.command, "the exec")
        command = self.record.command
        assert command
        return command.pid

    def ask(self, number: int) -> None:
        """Have the shim send ``number`` to its whole tree."""
        os.kill(self.pid, ASK + number)

    def is_locked(self) -> bool:
        """Whether the shim, or who has its descriptor, lives: as a new broker sees it."""
        with self.record_path.open("rb") as record:
            try:
                fcntl.flock(record, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            return False


@dataclass
class Spawner:
    """Makes records and plans in ``folder`` and spawns ``command`` on them."""

    command: list[str]
    folder: Path
    held: list[Held] = field(default_factory=list)

    def run(self, *argv: bytes | str, **settings: object) -> Record:
        """Hold a job until its end; return the record."""
        return self.start(*argv, **settings).wait()

    def start(self, *argv: bytes | str, **settings: object) -> Held:
        """Start a job: the words of its command, and settings of its plan."""
        return self.spawn(encode_plan(self.plan(*argv, **settings)))

    def plan(self, *argv: bytes | str, **settings: object) -> Plan:
        """Return a plan whose job runs in :attr:`folder` and writes to ``out`` and ``err``."""
        words = tuple(os.fsencode(word) for word in argv)
        path = os.environ["PATH"].encode()
        base = Plan(
            job_id="7",
            cwd=bytes(self.folder),
            argv=words,
            environment={b"PATH": path},
            stdout=b"out",
            stderr=b"err",
            grace_ms=int(DEADLINE * 1000),
        )
        return replace(base, **settings)  # type: ignore[arg-type]  # names checked by replace

    def spawn(self, plan: bytes) -> Held:
        """Spawn a shim on the bytes of a plan."""
        record_path = self.folder / f"record{len(self.held)}"
        record_path.write_bytes(bytes(RECORD_SIZE))
        record_fd = os.open(record_path, os.O_RDWR | os.O_CLOEXEC)
        fcntl.flock(record_fd, fcntl.LOCK_EX)
        with _above(os.memfd_create("plan")) as plan_fd, _above(record_fd) as handed_fd:
            os.write(plan_fd, plan)
            pid = self._spawn(plan_fd, handed_fd)
        reader = os.open(record_path, os.O_RDONLY | os.O_CLOEXEC)
        self.held.append(Held(pid, os.pidfd_open(pid), reader, record_path))
        return self.held[-1]

    def _spawn(self, plan_fd: int, record_fd: int) -> int:
        null = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
        given = [(os.POSIX_SPAWN_DUP2, plan_fd, 3), (os.POSIX_SPAWN_DUP2, record_fd, 4)]
        return os.posix_spawn(
            self.command[0],
            shim_argv(self.command, "7"),
            os.environ,
            file_actions=[*null, *given],
            setsid=True,
            setsigmask=signal.valid_signals(),
        )

    def out(self, name: str = "out") -> bytes:
        """Return what the job has written."""
        return (self.folder / name).read_bytes()


@contextlib.contextmanager
def _above(fd: int) -> Iterator[int]:
    moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _ABOVE)
    os.close(fd)
    try:
        yield moved
    finally:
        os.close(moved)


@contextlib.contextmanager
def no_process_left_behind() -> Iterator[None]:
    """Kill on leaving whatever was started inside, whoever its parent is by then."""
    prctl = ctypes.CDLL(None).prctl
    prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    before = set(psutil.Process().children(recursive=True))
    try:
        yield
    finally:
        until(lambda: not _kill(before), "the end of what a test has left")
        prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def _kill(spared: set[psutil.Process]) -> bool:
    found = set(psutil.Process().children(recursive=True)) - spared
    for process in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    for process in found:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(process.pid, os.WNOHANG)
    return bool(found)
