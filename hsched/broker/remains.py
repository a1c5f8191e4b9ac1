"""What a killed shim left running: found, ended, and waited for.

A shim that was killed cannot end its tree, so the broker does.  It finds the
processes by what they cannot easily shed: being our orphans (the broker is a
subreaper), the session of the job's first process, the mark in the environment,
and descent from any of these.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from hsched.broker.waker import Waker
from hsched.core.model import JobId, format_job_id


@dataclass(frozen=True, slots=True)
class Process:
    """One line of the process table."""

    pid: int
    parent: int
    session: int
    state: str


@dataclass(slots=True)
class Remains:
    """The tree of one killed shim.  ``gone`` is called once nothing of it is left."""

    waker: Waker
    marks: tuple[bytes, ...]
    session: int | None
    orphans_of_ours: Callable[[], frozenset[int]]
    gone: Callable[[], None]
    _watched: dict[int, int] = field(default_factory=dict)

    def end(self) -> None:
        """Kill what is left; again whenever all of that is gone, until nothing is found."""
        table = process_table()
        roots = {p.pid for p in table if self._belongs(p)}
        for pid in descendants(table, roots | self.orphans_of_ours()):
            self._kill(pid)
        if not self._watched:
            self.gone()

    def _belongs(self, process: Process) -> bool:
        if self.session is not None and process.session == self.session:
            return True
        return has_marks(process.pid, self.marks)

    def _kill(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            pidfd = os.pidfd_open(pid)
            self._watched[pidfd] = pid
            self.waker.watch(pidfd, lambda: self._one_gone(pidfd))
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)

    def _one_gone(self, pidfd: int) -> None:
        self.waker.forget(pidfd)
        pid = self._watched.pop(pidfd)
        os.close(pidfd)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)  # an orphan became our child
        if not self._watched:
            self.end()


def marks(job_id: JobId, run_folder: str) -> tuple[bytes, ...]:
    """Return the variables by which the processes of a job are known.

    The folder of the run tells schedulers of one name apart that were started in the
    same second, each with a state folder of its own.
    """
    return (
        f"HSCHED_JOB_ID={format_job_id(job_id)}".encode(),
        f"HSCHED_RUN_DIR={run_folder}".encode("utf-8", "surrogateescape"),
    )


def has_marks(pid: int, marks: tuple[bytes, ...]) -> bool:
    """Return whether a process was started with all of these variables."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            variables = file.read().split(b"\0")
    except OSError:
        return False
    return all(mark in variables for mark in marks)


def process_table() -> list[Process]:
    """Return the processes that are alive, zombies not among them."""
    found = (process(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return [one for one in found if one is not None and one.state not in "ZX"]


def descendants(table: Iterable[Process], roots: Iterable[int]) -> set[int]:
    """Return ``roots`` and all that descends from them."""
    children: dict[int, list[int]] = {}
    for process in table:
        children.setdefault(process.parent, []).append(process.pid)
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += children.get(pid, ())
    return found


def reap() -> None:
    """Take in every child that has ended: shims, and orphans that became ours."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def children_of_ours() -> frozenset[int]:
    """Return the processes whose parent we are."""
    return frozenset(p.pid for p in process_table() if p.parent == os.getpid())


def start_time(pid: int) -> int | None:
    """Return when a process started, in clock ticks since boot; None where there is none.

    Field 22 of proc_pid_stat(5): together with the pid it names one process for good.
    """
    fields = _stat(pid)
    return None if fields is None else int(fields[19])


def process(pid: int) -> Process | None:
    """Return one line of the process table; None where there is no such process."""
    fields = _stat(pid)
    if fields is None:
        return None
    return Process(pid, int(fields[1]), int(fields[3]), fields[0])


def _stat(pid: int) -> list[str] | None:
    """Return the fields of /proc/PID/stat from the third on; the second may hold anything."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
