"""Adopted jobs: processes that others started, watched and signalled from here.

They are not our children, so the kernel tells us that they end, and nothing else: the
exit status is its parent's.  A process is known by its pid and its start time, which
together are never given to another.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field

from hsched.broker import remains
from hsched.broker.waker import Waker
from hsched.core.model import JobId, Outcome, OutcomeKind

#: How an adopted job ends that nobody here has ended.
ENDED = Outcome(OutcomeKind.LOST, reason="adopted: its exit status is known to its parent alone")

_ENDING = (signal.SIGTERM, signal.SIGKILL)

#: What is sent again to processes that were forked meanwhile, and how often.
_REPEATED = (signal.SIGSTOP, signal.SIGKILL)
_ROUNDS = 100


@dataclass(slots=True)
class _Tree:
    """One adopted process and, once it shall end, those of its descendants that were seen."""

    first: int
    pidfds: dict[int, int] = field(default_factory=dict)


class Adopted:
    """All adopted jobs; ``gone`` is called with each that has ended."""

    def __init__(self, waker: Waker, gone: Callable[[JobId], None]) -> None:
        self._waker, self._gone = waker, gone
        self._trees: dict[JobId, _Tree] = {}

    def __contains__(self, job_id: JobId) -> bool:
        return job_id in self._trees

    @property
    def pids(self) -> frozenset[int]:
        """The processes that were adopted and have not ended."""
        return frozenset(tree.first for tree in self._trees.values())

    def pid_of(self, job_id: JobId) -> int | None:
        """Return the process that was adopted as this job, None where it is none."""
        tree = self._trees.get(job_id)
        return None if tree is None else tree.first

    def watch(self, job_id: JobId, pid: int, start_time: int) -> None:
        """Watch a process until it ends.

        Raises:
            ProcessLookupError: it has ended; its pid may be another's by now.
        """
        pidfd = os.pidfd_open(pid)
        if remains.start_time(pid) != start_time:
            os.close(pidfd)
            raise ProcessLookupError(f"process {pid} has ended")
        if job_id in self._trees:  # from a turn that could not be committed
            self._forget(job_id)
        self._trees[job_id] = _Tree(pid)
        self._watch(job_id, pid, pidfd)

    def signal(self, job_id: JobId, number: int) -> None:
        """Send a signal to the process and all that descends from it; nothing if it is gone.

        The job then ends when all that were told to end have.
        """
        tree = self._trees.get(job_id)
        if tree is None:
            return
        told: set[int] = set()
        for _ in range(_ROUNDS):
            fresh = remains.descendants(remains.process_table(), list(tree.pidfds)) - told
            for pid in sorted(fresh):
                self._send(job_id, pid, number)
            told |= fresh
            if not fresh or number not in _REPEATED:
                return

    def forget_all(self) -> None:
        """Stop watching; the processes go on."""
        for job_id in list(self._trees):
            self._forget(job_id)

    def _forget(self, job_id: JobId) -> None:
        for pidfd in self._trees.pop(job_id).pidfds.values():
            self._waker.forget(pidfd)
            os.close(pidfd)

    def _send(self, job_id: JobId, pid: int, number: int) -> None:
        tree = self._trees[job_id]
        with contextlib.suppress(ProcessLookupError, PermissionError):
            pidfd = tree.pidfds.get(pid)
            if pidfd is not None:
                signal.pidfd_send_signal(pidfd, number)
                return
            pidfd = os.pidfd_open(pid)
            if number in _ENDING:
                self._watch(job_id, pid, pidfd)
                signal.pidfd_send_signal(pidfd, number)
                return
            try:
                signal.pidfd_send_signal(pidfd, number)
            finally:
                os.close(pidfd)

    def _watch(self, job_id: JobId, pid: int, pidfd: int) -> None:
        self._trees[job_id].pidfds[pid] = pidfd
        self._waker.watch(pidfd, lambda: self._one_gone(job_id, pid))

    def _one_gone(self, job_id: JobId, pid: int) -> None:
        tree = self._trees[job_id]
        pidfd = tree.pidfds.pop(pid)
        self._waker.forget(pidfd)
        os.close(pidfd)
        if not tree.pidfds:
            del self._trees[job_id]
            self._gone(job_id)
