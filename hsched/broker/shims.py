"""The shims that hold the jobs: started, watched, signalled, found again."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
from dataclasses import dataclass, replace
from typing import NamedTuple

from hsched.broker import records, remains
from hsched.broker.cgroups import Cgroups
from hsched.broker.nursery import NurseryLostError, shim_source
from hsched.broker.records import Records
from hsched.core.model import JobId
from hsched.native import shim_command
from hsched.native.plan import Plan, encode_plan

#: Real-time signal 33 + n asks a shim to pass signal n on to every process of its tree.
_PASS_ON = 33

#: How often the process that forks shims may be killed during one start.
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Shim:
    """A live shim.  ``pidfd`` becomes readable when it ends."""

    job_id: JobId
    pid: int
    pidfd: int
    record: str


class _Prepared(NamedTuple):
    """What a shim is made from, as long as it may have to be made once more."""

    path: str
    job_id: str
    plan: bytes


class Shims:
    """All shims of one run, by the descriptor that tells their end."""

    def __init__(self, folder: str, cgroups: Cgroups | None = None) -> None:
        """``folder`` holds the records; with ``cgroups`` each job gets one."""
        self.records = Records(folder)
        self._cgroups = cgroups
        self._source = shim_source(shim_command())
        self._prepared: dict[JobId, _Prepared] = {}
        self._by_pidfd: dict[int, Shim] = {}
        self._by_job: dict[JobId, Shim] = {}
        self._leaving_children: set[JobId] = set()
        self._left_alone: frozenset[int] = frozenset()

    def __contains__(self, job_id: JobId) -> bool:
        return job_id in self._by_job

    def __len__(self) -> int:
        return len(self._by_job)

    def prepare(self, job_id: JobId, attempt: int, plan: Plan) -> None:
        """Have a shim made for a job whose start is on its way to the disk.

        Raises:
            OSError: it could not be (no processes, descriptors or space); nothing is left.
            ValueError: the plan holds a NUL byte.
        """
        path = self.records.path(job_id, attempt)
        if self._cgroups is not None:
            plan = replace(plan, cgroup=self._cgroups.make(os.path.basename(path)))
        prepared = _Prepared(path, plan.job_id, encode_plan(plan))
        self._prepare(prepared)
        self._prepared[job_id] = prepared
        if plan.leave_children:
            self._leaving_children.add(job_id)

    def start(self, job_id: JobId) -> Shim:
        """Start the job that was prepared, and return its shim.

        Raises:
            OSError: it could not be started; nothing is left.
        """
        prepared = self._prepared.pop(job_id)
        try:
            return self._watch(job_id, self._go(prepared), prepared.path)
        except OSError:
            records.remove(prepared.path)
            raise

    def cancel(self) -> None:
        """Forget what was prepared: its start did not come to the disk."""
        self._source.cancel()
        for prepared in self._prepared.values():
            records.remove(prepared.path)
        self._prepared.clear()

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
                self._left_alone |= remains.children_of_ours() - self._own()
        return shim

    def orphans(self) -> frozenset[int]:
        """Return our children that are no shims and were not left alone on purpose.

        They are what killed shims have left: the broker is a subreaper.
        """
        return remains.children_of_ours() - self._own() - self._left_alone

    def leave_alone(self, pid: int) -> None:
        """Know that a child of ours is no shim and no job's."""
        self._left_alone |= {pid}

    def pid_of(self, job_id: JobId) -> int | None:
        """Return the process that all of a job descends from, None where it has none."""
        shim = self._by_job.get(job_id)
        return None if shim is None else shim.pid

    @property
    def pids(self) -> frozenset[int]:
        """The processes that are shims."""
        return self._pids()

    def _pids(self) -> frozenset[int]:
        return frozenset(shim.pid for shim in self._by_job.values())

    def _own(self) -> frozenset[int]:
        nursery = self._source.pid
        return self._pids() if nursery is None else self._pids() | {nursery}

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
        self._source.close()
        self.records.forget_spares()
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

    def _prepare(self, prepared: _Prepared) -> None:
        record = self.records.take(prepared.path)
        plan = os.memfd_create("plan", os.MFD_CLOEXEC)
        try:
            os.pwrite(plan, prepared.plan, 0)
            self._source.prepare(prepared.job_id, plan, record)
        except OSError:
            records.remove(prepared.path)
            raise
        finally:
            os.close(plan)
            os.close(record)

    def _go(self, prepared: _Prepared) -> int:
        for _ in range(_ATTEMPTS):
            try:
                return self._source.go(prepared.job_id)
            except NurseryLostError:
                self._prepare(prepared)
        raise OSError(errno.EAGAIN, "the process that forks the shims ends again and again")


def _reap() -> None:
    """Take in every child that has ended: shims, and orphans that became ours."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
