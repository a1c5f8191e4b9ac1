"""Futures of jobs, and the one thread that ends them by what the broker tells."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from typing import Any, NamedTuple, TypeVar

from hsched.client import Client
from hsched.client.subscription import Subscription
from hsched.errors import HschedError, JobFailed, NoSuchJob, NotRunning
from hsched.tasks.calls import read_answer
from hsched.wire.jobs import JobView
from hsched.wire.submit import JobSpec
from hsched.wire.subscribe import Change

T = TypeVar("T")


class JobFuture(Future[T]):
    """What a call in a job will return.

    Unlike others of its kind it can also be cancelled while it runs: the job is killed then.
    A job that somebody else kills is a cancelled future too.
    """

    #: The id of the job, as `hjobs` prints it.
    job_id: str = ""

    def __init__(self, abandon: Callable[[str], None]) -> None:
        super().__init__()
        self._abandon = abandon
        self._has_started = False
        self._untold = threading.Lock()

    def cancel(self) -> bool:
        """End the job, pending or running; False where it has ended already.

        Returns at once: the job's slots come back when its processes are gone.
        """
        if not self._drop():
            return False
        self._abandon(self.job_id)
        return True

    def running(self) -> bool:
        """Return whether the job runs now."""
        return self._has_started and not self.done()

    def _drop(self) -> bool:
        """Become cancelled, and wake those who wait for it; False where it is too late."""
        if not super().cancel():
            return False
        if self._untold.acquire(blocking=False):  # once: never given back
            self.set_running_or_notify_cancel()
        return True


class _Pending(NamedTuple):
    """A job whose end is awaited, and its files."""

    future: JobFuture[Any]
    run: str
    payload: str
    answer: str


class Prepared(NamedTuple):
    """A call that can be submitted: its job and its files, which the payload is already in."""

    spec: JobSpec
    payload: str
    answer: str


class Watch:
    """The jobs of one executor.  Its thread lives as long as there are any.

    The lock is also that of the client, which is not for several threads at once.
    """

    def __init__(self, scheduler: str | None, timeout: float) -> None:
        self._client = Client(scheduler, timeout)
        # A future may be cancelled by the garbage collector, in the midst of what we do.
        self._lock = threading.RLock()
        self._pending: dict[str, _Pending] = {}
        self._unwanted: list[str] = []
        self._thread: threading.Thread | None = None
        self._wake = -1

    def submit(self, prepare: Callable[[str], Sequence[Prepared]]) -> list[JobFuture[Any]]:
        """Queue jobs, all or none; ``prepare`` is given the folder of the run.

        Raises:
            HschedError: as :meth:`Client.submit_batch`; nothing was queued.
        """
        with self._lock:
            status = self._client.status()
            prepared = prepare(status.folder)
            try:
                self._have_thread()  # first: at the interpreter's end there can be none
                jobs = self._client.submit_batch([one.spec for one in prepared])
            except BaseException:
                for one in prepared:
                    _remove(one.payload)
                raise
            futures = []
            for job, one in zip(jobs, prepared, strict=True):
                future: JobFuture[Any] = JobFuture(self._abandon)
                future.job_id = job.id
                self._pending[job.id] = _Pending(future, status.run, one.payload, one.answer)
                futures.append(future)
            return futures

    def room(self, slots: str) -> int:
        """Return how many jobs with ``slots`` there is room for at once, at least 1.

        Raises:
            WrongUsage: the slots make no sense.
        """
        from hsched.core.model import Resource
        from hsched.core.spec import parse_request

        with self._lock:
            found = self._client.slots()
        resources = [Resource(r.name, r.total, r.numbered, r.unit) for r in found]
        asked = parse_request(slots, resources)
        pairs = zip(found, asked.amounts, strict=True)
        return max(1, min((r.total // n for r, n in pairs if n > 0), default=os.cpu_count() or 1))

    def futures(self) -> list[JobFuture[Any]]:
        """Return those that are not done."""
        with self._lock:
            return [one.future for one in self._pending.values()]

    def join(self) -> None:
        """Wait until no job is left; not in the thread itself."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _abandon(self, identity: str) -> None:
        with self._lock:
            if identity in self._pending:
                self._unwanted.append(identity)
                os.eventfd_write(self._wake, 1)

    def _have_thread(self) -> None:
        if self._thread is None:
            wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
            thread = threading.Thread(target=self._run, name="hsched futures")
            try:
                thread.start()
            except BaseException:
                os.close(wake)
                raise
            self._thread, self._wake = thread, wake

    def _run(self) -> None:
        with self._client.subscribe() as news:
            while not self._is_idle():
                try:
                    self._look(news)
                except Exception as error:
                    self._give_up(error)

    def _is_idle(self) -> bool:
        """Return whether nothing is left to wait for; then the thread is over."""
        with self._lock:
            if self._pending:
                return False
            self._client.close()
            os.close(self._wake)
            self._thread, self._wake = None, -1
            self._unwanted.clear()
            return True

    def _look(self, news: Subscription) -> None:
        had_begun = news.has_begun
        changes = news.page(self._wake) or ()
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        self._kill_unwanted()
        for change in changes:
            self._hear(change)
        if (news.has_begun and not had_begun) or not news.is_complete:
            self._list_all()

    def _kill_unwanted(self) -> None:
        with self._lock:
            ids, self._unwanted = self._unwanted, []
            if not ids:
                return
            try:
                self._client.kill(ids, wait=False)
            except NoSuchJob:  # one has just ended, and so nothing was done
                for identity in ids:
                    with contextlib.suppress(NoSuchJob):
                        self._client.kill([identity], wait=False)

    def _hear(self, news: Change | JobView) -> None:
        """Take note of how a job stands; the lock is free while callbacks run."""
        with self._lock:
            found = self._pending.get(news.id)
            if found is not None and news.state == "done":
                del self._pending[news.id]
        if found is None:
            return
        if news.state == "done":
            _finish(found, news)
        elif news.state == "running":
            found.future._has_started = True

    def _list_all(self) -> None:
        """Ask how all jobs stand, where changes may have been missed."""
        with self._lock:
            asked = [(one.run, identity) for identity, one in self._pending.items()]
        for run in dict.fromkeys(run for run, _ in asked):
            ids = [identity for of, identity in asked if of == run]
            with self._lock:
                views = list(self._client.jobs(*ids, scope="all", run=run))
            for view in views:
                self._hear(view)

    def _give_up(self, error: Exception) -> None:
        """End all futures: by history where the scheduler was stopped, else with ``error``."""
        if isinstance(error, NotRunning):
            with contextlib.suppress(HschedError, OSError):
                self._list_all()
        with self._lock:
            left = list(self._pending.values())
            self._pending.clear()
        for one in left:
            with contextlib.suppress(InvalidStateError):
                one.future.set_exception(error)


def _finish(job: _Pending, end: Change | JobView) -> None:
    """Give a future what its job came to, and remove the files."""
    answer = read_answer(job.answer)
    _remove(job.payload, job.answer, f"{job.answer}.part")
    with contextlib.suppress(InvalidStateError):  # cancelled meanwhile
        if end.outcome == "cancelled":
            job.future._drop()
        elif answer is None:
            job.future.set_exception(JobFailed(_told(end)))
        elif answer.error is not None:
            job.future.set_exception(answer.error)
        else:
            job.future.set_result(answer.value)


def _told(end: Change | JobView) -> str:
    how = end.outcome or "lost"
    if end.signal is not None:
        how = f"killed by signal {end.signal}"
    elif end.exit_status is not None:
        how = f"exit status {end.exit_status}"
    why = f" ({end.reason})" if end.reason else ""
    return f"job {end.id} ended without an answer: {how}{why}; see `hlog --err {end.id}`"


def _remove(*paths: str) -> None:
    for path in paths:
        with contextlib.suppress(OSError):
            os.unlink(path)
