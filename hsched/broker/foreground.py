"""Jobs that their own hrun runs: watched, told when it is their turn, and ended.

For each there are two processes: hrun, and its child that waits to become the command.
hrun reports how the command ended, and it alone ever starts it, so nothing here can make
it run twice.  When hrun is gone without a report, its job leaves the queue; one that ran
is cancelled like any other, and its slots come back when nothing of its tree is left.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from hsched.broker import clock, jobserver, remains
from hsched.broker.endpoint import Peer
from hsched.core.effects import ChangeJob, Effect, EndJob, SignalJob, StartJob
from hsched.core.events import CancelAsked, Ended, Started
from hsched.core.model import JobId, Outcome, OutcomeKind, State
from hsched.wire.run import TurnReply
from hsched.wire.submit import JobSpec

if TYPE_CHECKING:
    from hsched.broker.broker import Broker

KIND = "foreground"

_GONE = "its hrun was killed"
_LOST = Outcome(OutcomeKind.LOST, reason=_GONE)
_ENDING = (signal.SIGTERM, signal.SIGKILL)

#: What is sent again to processes that were forked meanwhile, and how often.
_REPEATED = (signal.SIGSTOP, signal.SIGKILL)
_ROUNDS = 100


@dataclass(slots=True)
class _Run:
    """One such job.  ``hrun`` is its pidfd, -1 once it is gone; ``left`` those of its tree then."""

    job_id: JobId
    spec: JobSpec
    hrun: int
    waiter: tuple[Peer, str] | None = None
    left: dict[int, int] = field(default_factory=dict)


class Foreground:
    """All jobs in the foreground whose hrun lives, or left something."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._runs: dict[JobId, _Run] = {}

    def __contains__(self, job_id: JobId) -> bool:
        return job_id in self._runs

    @property
    def pids(self) -> frozenset[int]:
        """The hruns and their children."""
        return frozenset(
            pid for run in self._runs.values() for pid in (run.spec.pid, run.spec.child) if pid
        )

    def pid_of(self, job_id: JobId) -> int | None:
        """Return the hrun of a job, from which all of its tree descends; None where it is gone."""
        run = self._runs.get(job_id)
        return None if run is None or run.hrun < 0 else run.spec.pid

    def watch(self, job_id: JobId, spec: JobSpec) -> None:
        """Watch the hrun of a live job; where it is gone already, end the job."""
        self.forget(job_id)  # from a turn that could not be committed
        run = self._runs[job_id] = _Run(job_id, spec, -1)
        try:
            run.hrun = _open(spec.pid or 0, spec.pid_started)
        except ProcessLookupError:
            self._hrun_gone(run)
            return
        self._broker.waker.watch(run.hrun, lambda: self._hrun_ended(run))

    def start(self, effect: StartJob) -> None:
        """Tell the hrun of a job whose start is on disk that it is its turn."""
        broker = self._broker
        if broker.scheduler.find(effect.job_id) is None:
            return  # it has ended in the same turn
        broker.checkpoint("before start")
        news = broker.scheduler.handle(Started(effect.job_id), clock.monotonic())
        broker.announce(effect.job_id)
        broker.wish([one for one in news if one != ChangeJob(effect.job_id)])
        run = self._runs[effect.job_id]
        self._answer(run)
        if run.hrun < 0:
            self._hrun_gone(run)
        broker.checkpoint("after start")

    def wait_for_turn(self, job_id: JobId, peer: Peer, key: str) -> None:
        """Answer ``peer`` once the job may start or is done, which may be now."""
        run = self._runs[job_id]
        run.waiter = (peer, key)
        if self._broker.scheduler.job(job_id).state in (State.RUNNING, State.STOPPING):
            self._answer(run)
        else:
            self._broker.engine.awaited(job_id)

    def offer(self, job_id: JobId) -> None:
        """Tell a hrun that waits to begin, where another scheduler knows when that may be."""
        run, job = self._runs.get(job_id), self._broker.scheduler.find(job_id)
        if run is None or run.waiter is None or job is None:
            return
        reply = self._broker.engine.turn(job, run.spec)
        if reply is not None:
            self._reply(run, reply)

    def waits(self, job_id: JobId) -> bool:
        """Return whether the hrun of a job is known to wait for its turn."""
        return job_id in self._runs and self._runs[job_id].waiter is not None

    def waiting(self) -> list[JobId]:
        """Return the jobs whose hrun waits for its turn."""
        return [one for one, run in self._runs.items() if run.waiter is not None]

    def signal(self, job_id: JobId, number: int) -> None:
        """Send a signal to the command and all that descends from it.

        hrun itself gets CONT where it must go on: a stopped one could report nothing.
        """
        run = self._runs[job_id]
        told: set[int] = set()
        for _ in range(_ROUNDS):
            fresh = self._members(run) - told
            for pid in sorted(fresh):
                _send(pid, number)
            told |= fresh
            if not fresh or number not in _REPEATED:
                break
        if number in _ENDING or number == signal.SIGCONT:
            for pid in told:
                _send(pid, signal.SIGCONT)
            if run.hrun >= 0:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(run.hrun, signal.SIGCONT)

    def committed(self, effects: Iterable[Effect]) -> None:
        """Tell the hruns whose jobs ended while they waited for their turn that none will come.

        What the hruns inside of any job have shared its slots by is removed.
        """
        ended = [one for one in effects if isinstance(one, EndJob)]
        if ended:
            self._remove_shared(ended)
        for job in ended:
            if (run := self._runs.get(job.job_id)) is not None:
                self._reply(run, _ended(job.outcome))
                self.forget(job.job_id)

    def _remove_shared(self, ended: Iterable[EndJob]) -> None:
        run_folder = self._broker.run_folder
        if not os.access(jobserver.folders(run_folder), os.F_OK):
            return
        for job in ended:
            for number in range(1, job.attempt + 1):
                _remove(jobserver.folder(run_folder, job.job_id, number))

    def forget(self, job_id: JobId) -> None:
        """Stop watching; the processes go on."""
        run = self._runs.pop(job_id, None)
        for descriptor in () if run is None else (run.hrun, *run.left.values()):
            if descriptor >= 0:
                self._broker.waker.forget(descriptor)
                os.close(descriptor)

    def forget_all(self) -> None:
        """Stop watching all of them."""
        for job_id in list(self._runs):
            self.forget(job_id)

    # The turn

    def _answer(self, run: _Run) -> None:
        job = self._broker.scheduler.job(run.job_id)
        if job.state is State.RUNNING and job.allocation is not None:
            broker = self._broker
            who = broker.ledger.identity(run.job_id, attempt=1)
            around = broker.ledger.surroundings(run.spec, who, job.allocation)
            reply = TurnReply(
                go=True,
                variables=around.own,
                unless_set=around.unless_set or None,
                affinity=around.affinity,
                jobserver=around.jobserver,
                folder=jobserver.folder(broker.run_folder, run.job_id, 1),
            )
            self._reply(run, reply)
        elif job.verdict is not None:
            self._reply(run, _ended(job.verdict))

    def _reply(self, run: _Run, reply: TurnReply) -> None:
        if run.waiter is not None:
            peer, key = run.waiter
            run.waiter = None
            self._broker.answer(peer, key, reply)

    def is_run_by(self, job_id: JobId, pid: int) -> bool:
        """Return whether ``pid`` is the hrun of a job."""
        run = self._runs.get(job_id)
        return run is not None and run.spec.pid == pid

    # The end of hrun

    def _hrun_ended(self, run: _Run) -> None:
        broker = self._broker
        broker.wall = clock.wall()
        broker.waker.forget(run.hrun)
        os.close(run.hrun)
        run.hrun = -1
        if broker.can_write:  # else it is found when the store can be written again
            self._hrun_gone(run)
        else:
            self.forget(run.job_id)

    def _hrun_gone(self, run: _Run) -> None:
        """End a job whose hrun is gone: at once where it was pending, else with its tree."""
        broker = self._broker
        job = broker.scheduler.find(run.job_id)
        if job is None:
            self.forget(run.job_id)  # it was never committed
            return
        if job.verdict is None:
            broker.apply(CancelAsked((run.job_id,), None, _GONE))
        if job.state in (State.RUNNING, State.STOPPING):
            self._look(run)

    def _look(self, run: _Run) -> None:
        """Watch what is left of a tree; when nothing is, the job has ended."""
        job = self._broker.scheduler.find(run.job_id)
        if job is None or not self._broker.can_write:
            self.forget(run.job_id)
            return
        for pid in self._members(run) - run.left.keys():
            with contextlib.suppress(ProcessLookupError):
                pidfd = run.left[pid] = os.pidfd_open(pid)
                self._broker.waker.watch(pidfd, partial(self._one_gone, run, pid))
        if not run.left:
            self._broker.apply(Ended(run.job_id, _LOST))
        elif job.killed:  # also what has been forked since
            self._broker.wish([SignalJob(run.job_id, signal.SIGKILL)])

    def _one_gone(self, run: _Run, pid: int) -> None:
        pidfd = run.left.pop(pid)
        self._broker.waker.forget(pidfd)
        os.close(pidfd)
        if not run.left:
            self._look(run)

    # The tree

    def _members(self, run: _Run) -> set[int]:
        """Return the processes of the tree: hrun keeps orphans, their mark tells them later."""
        table = remains.process_table()
        roots = set(run.left) | set(_marked(table, self._marks(run)))
        spec = run.spec
        if spec.child and _is(spec.child, spec.child_started):
            roots.add(spec.child)
        if run.hrun < 0:
            roots &= {process.pid for process in table}  # nobody may be there to reap them
            return remains.descendants(table, roots)
        hrun = spec.pid or 0
        return remains.descendants(table, {*roots, hrun}) - {hrun}

    def _marks(self, run: _Run) -> tuple[bytes, ...]:
        return remains.marks(run.job_id, self._broker.run_folder)


def _remove(folder: str) -> None:
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))
        os.rmdir(folder)


def _ended(outcome: Outcome) -> TurnReply:
    return TurnReply(go=False, outcome=outcome.kind.value, reason=outcome.reason or None)


def _marked(table: Iterable[remains.Process], marks: tuple[bytes, ...]) -> Iterable[int]:
    return (process.pid for process in table if remains.has_marks(process.pid, marks))


def _is(pid: int, started: int | None) -> bool:
    return remains.start_time(pid) == started


def _open(pid: int, started: int | None) -> int:
    """Return the pidfd of a process that is known by its pid and its start.

    Raises:
        ProcessLookupError: it has ended.
    """
    if pid <= 0:
        raise ProcessLookupError("no process")
    pidfd = os.pidfd_open(pid)
    if not _is(pid, started):
        os.close(pidfd)
        raise ProcessLookupError(f"process {pid} has ended")
    return pidfd


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
