"""The shims that hold the jobs: started, watched, signalled, found again.

Each shim has a record, a file in the run's folder whose lock it holds as long as
it lives.  So a free lock proves that no shim is there, whatever was killed, and
the record tells how far it came.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
from dataclasses import dataclass, replace

from hsched.broker import remains
from hsched.broker.cgroups import Cgroups
from hsched.core.model import JobId, format_job_id
from hsched.native import shim_argv, shim_command
from hsched.native.plan import Plan, encode_plan
from hsched.native.record import RECORD_SIZE, Record, read_record

_PLAN_FD, _RECORD_FD = 3, 4

#: Real-time signal 33 + n asks a shim to pass signal n on to every process of its tree.
_PASS_ON = 33


@dataclass(frozen=True, slots=True)
class Shim:
    """A live shim.  ``pidfd`` becomes readable when it ends."""

    job_id: JobId
    pid: int
    pidfd: int
    record: str


class Shims:
    """All shims of one run, by the descriptor that tells their end."""

    def __init__(self, folder: str, cgroups: Cgroups | None = None) -> None:
        """``folder`` holds the records; with ``cgroups`` each job gets one."""
        self._folder = folder
        self._cgroups = cgroups
        self._program = shim_command()
        self._by_pidfd: dict[int, Shim] = {}
        self._by_job: dict[JobId, Shim] = {}
        self._leaving_children: set[JobId] = set()
        self._left_alone: frozenset[int] = frozenset()

    def __contains__(self, job_id: JobId) -> bool:
        return job_id in self._by_job

    def __len__(self) -> int:
        return len(self._by_job)

    def record_path(self, job_id: JobId, attempt: int) -> str:
        """Return the path of the record of one attempt at a job."""
        return os.path.join(self._folder, f"{format_job_id(job_id)}-{attempt}")

    def start(self, job_id: JobId, attempt: int, plan: Plan) -> Shim:
        """Start a shim and return it.

        Raises:
            OSError: it could not be (no processes, descriptors or space); nothing is left.
            ValueError: the plan holds a NUL byte.
        """
        path = self.record_path(job_id, attempt)
        if self._cgroups is not None:
            plan = replace(plan, cgroup=self._cgroups.make(os.path.basename(path)))
        content = encode_plan(plan)
        record = _high(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600))
        try:
            pid = self._spawn(plan.job_id, content, record)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(path)
            raise
        finally:
            os.close(record)
        if plan.leave_children:
            self._leaving_children.add(job_id)
        return self._watch(job_id, pid, path)

    def adopt(self, job_id: JobId, pid: int, path: str) -> Shim:
        """Watch a shim that an earlier broker started.

        Raises:
            ProcessLookupError: it has just ended.
        """
        return self._watch(job_id, pid, path)

    def signal(self, job_id: JobId, number: int) -> None:
        """Have every process of the job's tree get a signal; nothing where it has ended.

        KILL is repeated by the shim until nothing is left.
        """
        shim = self._by_job.get(job_id)
        if shim is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(shim.pidfd, _PASS_ON + number)

    def ended(self, pidfd: int) -> Shim | None:
        """Return the shim whose end ``pidfd`` has told, and stop watching it."""
        shim = self._by_pidfd.pop(pidfd, None)
        if shim is not None:
            del self._by_job[shim.job_id]
            os.close(pidfd)
            _reap()
            if shim.job_id in self._leaving_children:
                self._leaving_children.discard(shim.job_id)
                self._left_alone |= remains.children_of_ours() - self._pids()
        return shim

    def orphans(self) -> frozenset[int]:
        """Return our children that are no shims and were not left alone on purpose.

        They are what killed shims have left: the broker is a subreaper.
        """
        return remains.children_of_ours() - self._pids() - self._left_alone

    @property
    def pids(self) -> frozenset[int]:
        """The processes that are shims."""
        return self._pids()

    def _pids(self) -> frozenset[int]:
        return frozenset(shim.pid for shim in self._by_job.values())

    def kill_cgroup(self, record: str) -> None:
        """Kill what a killed shim left in its job's cgroup, if it had one."""
        if self._cgroups is not None:
            self._cgroups.kill(os.path.basename(record))

    def remove_cgroup(self, record: str) -> None:
        """Remove the cgroup that a killed shim could not remove."""
        if self._cgroups is not None:
            self._cgroups.remove(os.path.basename(record))

    def forget_all(self) -> None:
        """Stop watching; the shims go on."""
        if self._cgroups is not None:
            self._cgroups.close()
        for pidfd in self._by_pidfd:
            os.close(pidfd)
        self._by_pidfd.clear()
        self._by_job.clear()

    def _watch(self, job_id: JobId, pid: int, path: str) -> Shim:
        shim = Shim(job_id, pid, os.pidfd_open(pid), path)
        self._by_pidfd[shim.pidfd] = shim
        self._by_job[job_id] = shim
        return shim

    def _spawn(self, job_id: str, content: bytes, record: int) -> int:
        # Filled now, so that a disk which is full later does not cost the exit status.
        os.pwrite(record, bytes(RECORD_SIZE), 0)
        fcntl.flock(record, fcntl.LOCK_EX)
        plan = _high(os.memfd_create("plan", os.MFD_CLOEXEC))
        try:
            os.pwrite(plan, content, 0)
            return os.posix_spawn(
                self._program[0],
                shim_argv(self._program, job_id),
                {},
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDWR, 0),
                    (os.POSIX_SPAWN_DUP2, 0, 1),
                    (os.POSIX_SPAWN_DUP2, 0, 2),
                    (os.POSIX_SPAWN_DUP2, plan, _PLAN_FD),
                    (os.POSIX_SPAWN_DUP2, record, _RECORD_FD),
                ],
                setsid=True,
                setsigmask=signal.valid_signals(),  # until the shim is ready for them
            )
        finally:
            os.close(plan)


def _reap() -> None:
    """Take in every child that has ended: shims, and orphans that became ours."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _high(descriptor: int) -> int:
    """Return the same file above 3 and 4, which the spawn overwrites one after the other."""
    if descriptor > _RECORD_FD:
        return descriptor
    try:
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _RECORD_FD + 1)
    finally:
        os.close(descriptor)


def read(path: str) -> Record | None:
    """Return the record at ``path``, None where there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return read_record(os.read(descriptor, RECORD_SIZE))
    finally:
        os.close(descriptor)


def is_held(path: str) -> bool:
    """Return whether a shim holds the record at ``path``."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
