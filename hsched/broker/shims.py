"""The shims that hold the jobs: started, watched, signalled, found again.

A shim that a nursery has forked outlives its job: it tells the end on its line, and once
that is on disk, a job that starts in the same turn gets the shim and its record.  What
no job needs is let go before the turn ends, so no shim is ever there without a job.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import time
from collections.abc import Callable
from typing import NamedTuple

from hsched.broker import records, remains
from hsched.broker.cgroups import Cgroups
from hsched.broker.nursery import Born, NurseryLostError, shim_source
from hsched.broker.offers import Offer, Offers
from hsched.broker.records import Records
from hsched.broker.shim import LONGEST_PLAN, Shim, Told, listen, taker_of
from hsched.broker.taken import CHOICE_S, end_if_stopped
from hsched.broker.waker import Waker
from hsched.core.model import JobId, format_job_id, parse_job_id
from hsched.native import shim_command
from hsched.native.plan import Plan, encode_plan
from hsched.native.record import NOTHING, Record

#: Real-time signal 33 + n asks a shim to pass signal n on to every process of its tree.
_PASS_ON = 33

#: How often the process that forks shims may be killed during one start.
_ATTEMPTS = 3

#: How long to listen until looking again what one of them has written, in milliseconds.
_CHOICE_MS = 1

#: Told with each job that is over: its record, or None where only the file tells, and
#: the offer that its shim goes on with.
Over = Callable[[JobId, str, Record | None, Offer | None], None]


class _Prepared(NamedTuple):
    """What a job is started from, as long as it may have to be tried once more."""

    path: str
    job_id: str
    plan: bytes
    leaves: bool
    #: The shim of a job that has ended takes it; else one was forked for it.
    handed_on: bool


class Shims:
    """All shims of one run."""

    def __init__(self, folder: str, waker: Waker, cgroups: Cgroups | None = None) -> None:
        """``folder`` holds the records; with ``cgroups`` each job gets one."""
        self.records = Records(folder)
        #: Called when a job is over; the broker sets it.
        self.over: Over = lambda *_: None
        self._waker = waker
        self._cgroups = cgroups
        self.offers = Offers()
        self._source = shim_source(shim_command(), self.offers.for_shims)
        self._prepared: dict[JobId, _Prepared] = {}
        self._live: dict[int, Shim] = {}  # by their pidfd
        self._by_job: dict[JobId, Shim] = {}
        #: Shims without a job, by their records: its end is on its way to the disk ...
        self._resting: dict[str, Shim] = {}
        #: ... or is there.
        self._free: list[Shim] = []
        self._unpromised = 0  # of the resting
        #: What was told while only those were listened to that took an offer.
        self._unheard: list[tuple[Shim, Told]] = []
        self._left_alone: frozenset[int] = frozenset()

    def __contains__(self, job_id: JobId) -> bool:
        return job_id in self._by_job

    def prepare(self, job_id: JobId, attempt: int, plan: Plan) -> None:
        """Get ready to start a job whose start is on its way to the disk.

        Raises:
            OSError: no shim could be made (no processes, descriptors or space); nothing is left.
            ValueError: the plan holds a NUL byte.
        """
        path = self.records.path(job_id, attempt)
        if self._cgroups is not None:
            plan.cgroup = self._cgroups.make(os.path.basename(path))
        encoded = encode_plan(plan)
        handed_on = self._unpromised > 0 and len(encoded) <= LONGEST_PLAN
        prepared = _Prepared(path, plan.job_id, encoded, plan.leave_children, handed_on)
        if handed_on:
            self._unpromised -= 1
        else:
            self._fork(prepared)
        self._prepared[job_id] = prepared

    def start(self, job_id: JobId) -> None:
        """Start the job that was prepared.

        Raises:
            OSError: it could not be started; nothing is left.
        """
        prepared = self._prepared.pop(job_id)
        try:
            shim = self._hand_on(prepared) if prepared.handed_on else None
            if shim is None:
                shim = self._watch(job_id, prepared.path, self._go(prepared))
        except OSError:
            self._forget(prepared)
            raise
        shim.job_id, shim.leaves = job_id, prepared.leaves
        self._by_job[job_id] = shim

    @property
    def take_offers(self) -> bool:
        """Whether shims may go on with the next in line by themselves."""
        return self._source.has_lines and self._cgroups is None

    def offer(self, job_id: JobId, attempt: int, plan: bytes) -> None:
        """Lay out a job, with its encoded plan, for the first shim whose job is over.

        Raises:
            OSError: there is no room for it; nothing is left.
        """
        if len(plan) > LONGEST_PLAN:
            raise OSError(errno.E2BIG, "no shim takes so long a plan")
        path, record = self.records.take_any()
        try:
            self.offers.lay_out(Offer(job_id, attempt, path), plan, record)
        except OSError:
            records.remove(path)
            raise
        finally:
            os.close(record)

    def withdraw(self) -> None:
        """Take back all offers; hear of those that were taken before anything else happens.

        A shim has written that it took one within microseconds, or was killed or stopped in these.
        """
        for offer in self.offers.take_back():
            self.records.spent(offer.path)
        deadline = time.monotonic() + CHOICE_S
        self._hear_takers()
        while self.offers.ids:
            self._wait_for_takers()
            self._hear_takers()
            if time.monotonic() > deadline:
                for shim in self._live.values():
                    end_if_stopped(shim.record)
        while self._unheard:
            self._take_in(*self._unheard.pop(0))

    def spent(self, path: str) -> None:
        """Take back the record of a job whose end is on disk, and its shim if that rests."""
        shim = self._resting.pop(path, None)
        if shim is None:
            self.records.spent(path)
        elif shim.signalled:
            self._let_go(shim)
        else:
            self._free.append(shim)

    def turn_over(self) -> None:
        """Let go of what no job has needed in this turn."""
        self.cancel()
        while self._free:
            self._let_go(self._free.pop())

    def cancel(self) -> None:
        """Forget what was prepared, and what ended: it did not come to the disk."""
        self._source.cancel()
        for prepared in self._prepared.values():
            self._forget(prepared)
        self._prepared.clear()
        for shim in self._resting.values():
            self._hang_up(shim)
        self._resting.clear()
        self._unpromised = 0

    def adopt(self, job_id: JobId, pid: int, path: str) -> None:
        """Watch a shim that an earlier broker started.

        Raises:
            ProcessLookupError: it has just ended.
        """
        self._by_job[job_id] = self._watch(job_id, path, Born(pid, None))

    def signal(self, job_id: JobId, number: int) -> None:
        """Have every process of the job's tree get a signal; nothing where it has ended.

        KILL is repeated by the shim until nothing is left.
        """
        shim = self._by_job.get(job_id)
        if shim is not None:
            shim.signalled = True
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(shim.pidfd, _PASS_ON + number)

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

    def record_of(self, job_id: JobId) -> str | None:
        """Return where the record of a job is, None where we do not hold it."""
        shim = self._by_job.get(job_id)
        return None if shim is None else shim.record

    @property
    def pids(self) -> frozenset[int]:
        """The processes that are shims."""
        return frozenset(shim.pid for shim in self._live.values())

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
        for offer in self.offers.take_back():
            records.remove(offer.path)
        self.offers.close()
        self.records.forget_spares()
        if self._cgroups is not None:
            self._cgroups.close()
        for shim in list(self._live.values()):
            self._forget_shim(shim)
            if shim.is_spent:
                records.remove(shim.record)
        self._by_job.clear()

    def _own(self) -> frozenset[int]:
        nursery = self._source.pid
        return self.pids if nursery is None else self.pids | {nursery}

    def _watch(self, job_id: JobId, path: str, born: Born) -> Shim:
        shim = Shim(job_id, path, born.pid, os.pidfd_open(born.pid), born.line)
        self._live[shim.pidfd] = shim
        if shim.line is not None:
            self._waker.watch(shim.line.fileno(), lambda: self._hear(shim))
        else:
            self._waker.watch(shim.pidfd, lambda: self._bury(shim))
        return shim

    def _hear(self, shim: Shim) -> None:
        """Take in what a shim tells: that its job is over, and that of the one after it."""
        while shim.line is not None:
            try:
                told = shim.read_line()
            except BlockingIOError:
                return
            self._take_in(shim, told)

    def _hear_takers(self) -> None:
        """Take in which shims have taken the offers that are not there any more.

        From the records: to be told of it would be to wait until they are on disk.  Until all
        are heard of, nothing may be told to ``over`` but who follows whom.
        """
        for offer in self.offers.out:
            taker = taker_of(self.offers.record_of(offer), self._live.values())
            over = None if taker is None else records.read(taker.record)
            if taker is None or (over is None and self.offers.is_held(offer)):
                continue  # whose own record somebody removed tells that itself, if it lives
            self._take_in(taker, Told(over or NOTHING, f"+{format_job_id(offer.job_id)}"))
            taker.foretold += 1

    def _wait_for_takers(self) -> None:
        """Hear something, or know that who took an offer let go of it without a beginning."""
        # Looked at before we listen: whoever told of an offer did so before it let go.
        let_go = [one for one in self.offers.out if not self.offers.is_held(one)]
        heard = listen(self._live.values(), 0 if let_go else _CHOICE_MS)
        for shim, told in heard:
            if told is not None and not told.answer:
                self._unheard.append((shim, told))
            else:
                self._take_in(shim, told)
        for offer in () if heard else let_go:
            if taker_of(self.offers.record_of(offer), self._live.values()) is None:
                self.records.spent(self.offers.told(offer.job_id).path)

    def _take_in(self, shim: Shim, told: Told | None) -> None:
        """Take in that a job is over; its shim rests, or holds the next one already."""
        if told is None:
            self._hang_up(shim)
            return
        if told.answer and shim.foretold:
            shim.foretold -= 1
            return
        job_id, path = shim.job_id, shim.record
        del self._by_job[job_id]
        if told.answer:
            offer = self.offers.told(parse_job_id(told.answer[1:]))
            shim.job_id, shim.record, shim.signalled = offer.job_id, offer.path, False
            self._by_job[offer.job_id] = shim
            self.over(job_id, path, told.record, offer)
            return
        shim.leaves = False
        self._resting[path] = shim
        self._unpromised += not shim.signalled
        self.over(job_id, path, told.record, None)

    def _let_go(self, shim: Shim) -> None:
        """Let a shim end that is not needed; nor is its record."""
        shim.is_spent = True
        self._hang_up(shim)

    def _hang_up(self, shim: Shim) -> None:
        """Close the line; a shim without a job ends then, and its end comes to be known."""
        if shim.line is not None:
            self._waker.forget(shim.line.fileno())
            shim.line.close()
            shim.line = None
            self._waker.watch(shim.pidfd, lambda: self._bury(shim))

    def _bury(self, shim: Shim) -> None:
        """Take in the end of a shim, which may be that of its job, or of one that it took."""
        if self._by_job.get(shim.job_id) is shim:
            self.withdraw()
        self._forget_shim(shim)
        remains.reap()
        if shim.is_spent:
            self.records.spent(shim.record)
        elif shim.leaves:
            self._left_alone |= remains.children_of_ours() - self._own()
        if self._by_job.get(shim.job_id) is shim:
            del self._by_job[shim.job_id]
            self.over(shim.job_id, shim.record, None, None)

    def _forget_shim(self, shim: Shim) -> None:
        self._hang_up(shim)
        self._waker.forget(shim.pidfd)
        os.close(shim.pidfd)
        del self._live[shim.pidfd]

    def _fork(self, prepared: _Prepared) -> None:
        record = self.records.take(prepared.path)
        plan = os.memfd_create("plan", os.MFD_CLOEXEC)
        try:
            os.pwrite(plan, prepared.plan, 0)
            self._source.prepare(prepared.job_id, plan, record)
        except OSError:
            self._forget(prepared)
            raise
        finally:
            os.close(plan)
            os.close(record)

    def _go(self, prepared: _Prepared) -> Born:
        for _ in range(_ATTEMPTS):
            try:
                return self._source.go(prepared.job_id)
            except NurseryLostError:
                self._fork(prepared)
        raise OSError(errno.EAGAIN, "the process that forks the shims ends again and again")

    def _hand_on(self, prepared: _Prepared) -> Shim | None:
        """Give the job to a shim that is free; else have one forked, and return None."""
        while self._free:
            shim = self._free.pop()
            try:
                self.records.hand_on(shim.record, prepared.path)
                shim.take(prepared.plan, prepared.path)
            except OSError:  # somebody has killed it
                records.remove(shim.record)
                self._hang_up(shim)
            else:
                return shim
        self._fork(prepared)
        return None

    def _forget(self, prepared: _Prepared) -> None:
        records.remove(prepared.path)
        self.remove_cgroup(prepared.path)
