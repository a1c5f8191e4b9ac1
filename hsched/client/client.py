"""The client: one typed method per verb.

The commands use nothing else, so whatever they can do a script can.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from hsched import paths
from hsched.client.connection import Connection
from hsched.client.job import Job
from hsched.client.subscription import Subscription
from hsched.errors import NoAnswer, NotRunning
from hsched.wire.jobs import JobsReply, JobsRequest, JobView
from hsched.wire.slots import ResourceView, SlotsReply, SlotsRequest
from hsched.wire.submit import Context, JobSpec, SubmitReply, SubmitRequest

if TYPE_CHECKING:
    from hsched.wire.status import StatusReply

DEFAULT_TIMEOUT_S = 60.0


class Client:
    """Speaks with the broker of one scheduler of this user on this machine.

    ``name`` is the scheduler's, by default ``HSCHED_NAME`` or ``default``; ``timeout``
    bounds each request in seconds.  A broker that was killed is brought back by the
    first request that misses it.  Not for several threads at once: give each its own.
    """

    def __init__(self, name: str | None = None, timeout: float = DEFAULT_TIMEOUT_S) -> None:
        self.place = paths.place(name or paths.default_name())
        self._connection = Connection(self.place, timeout)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; jobs and broker go on."""
        self._connection.close()

    @property
    def name(self) -> str:
        """The scheduler's name."""
        return self.place.name

    def submit(self, spec: JobSpec, context: Context | None = None) -> Job:
        """Queue one job and return a handle on it; it is on disk by then.

        ``context`` is what the job inherits, by default that of this process now.

        Raises:
            Refused: it asks for more than there is, or depends on what never was.
            WrongUsage: a word of the spec makes no sense.
        """
        return self.submit_batch([spec], context)[0]

    def submit_batch(self, specs: Sequence[JobSpec], context: Context | None = None) -> list[Job]:
        """Queue many jobs in one transaction, all or none; handles in the same order.

        Raises:
            HschedError: as :meth:`submit`; nothing was queued.
        """
        from hsched.client.context import capture  # not needed by the reading commands

        request = SubmitRequest(
            context=context or capture(), jobs=tuple(specs), run=_run_of_our_job(self.name)
        )
        reply = self._connection.call(request, SubmitReply)
        return [Job(self, identity) for identity in reply.ids]

    def jobs(
        self,
        *words: str,
        scope: str = "live",
        states: Sequence[str] = (),
        run: str | None = None,
        last: int | None = None,
    ) -> Iterator[JobView]:
        """Yield jobs in order of id, fetched page by page.

        ``words`` choose by id, range or name; ``scope`` is ``live``, ``done``, ``failed``
        or ``all``; ``run`` names an older run; ``last`` asks for the newest N.

        Raises:
            NoSuchJob: a word fits no job in that scope.
        """
        after = None
        while True:
            request = JobsRequest(
                scope=scope, states=tuple(states), words=words, run=run, after=after, last=last
            )
            page = self._page(request)
            yield from page.jobs
            if not page.more or not page.jobs:
                return
            after = page.jobs[-1].id

    def _page(self, request: JobsRequest) -> JobsReply:
        try:
            return self._connection.call(request, JobsReply)
        except NotRunning:
            if request.scope == "live":
                raise
            from hsched.client.history import read_history  # for a stopped scheduler alone

            return read_history(self.place, request)

    def kill(
        self,
        words: Iterable[str] = (),
        *,
        everything: bool = False,
        states: Sequence[str] = (),
        signal: int = 15,
        grace: float | None = None,
        wait: bool = True,
    ) -> list[str]:
        """Cancel jobs (TERM, ``grace`` seconds, KILL), and return their ids.

        With ``wait``, return once their trees are gone.  A ``signal`` other than TERM (15)
        and KILL (9) is only sent, and nothing is waited for.

        Raises:
            NoSuchJob: a word fits no live job; nothing was done.
            NoAnswer: the jobs were told, and one was not gone within the time-out.
        """
        from hsched.wire.kill import KillReply, KillRequest

        request = KillRequest(
            words=tuple(words),
            everything=everything,
            states=tuple(states),
            signal=signal,
            grace=grace,
        )
        ids = list(self._connection.call(request, KillReply).ids)
        if wait and ids and signal in (9, 15):
            limit = self._connection.timeout + (grace or 0.0)
            if not self.wait(ids, timeout=limit):
                raise NoAnswer(f"some of {', '.join(ids)} are not gone after {limit:g} s")
        return ids

    def wait(
        self, ids: Sequence[str], *, any_of: bool = False, timeout: float | None = None
    ) -> bool:
        """Wait until all (or any) of these jobs are done; False where the time was up.

        Raises:
            NoSuchJob: an id was never given out in this run.
        """
        waiting = set(ids)
        with self.subscribe(ids, timeout) as changes:
            for change in changes:
                if change.state == "done":
                    waiting.discard(change.id)
                if not waiting or (any_of and len(waiting) < len(set(ids))):
                    return True
        return False

    def subscribe(
        self, ids: Sequence[str] | None = None, timeout: float | None = None
    ) -> Subscription:
        """Return a stream of changes; it ends after ``timeout`` seconds, None for never.

        First comes how each of ``ids`` stands, then what changes; None means all jobs.
        """
        return Subscription(self.place, ids, timeout)

    def slots(self) -> tuple[ResourceView, ...]:
        """Return the resources: totals, used and free, drained slots."""
        return self._connection.call(SlotsRequest(), SlotsReply).resources

    def status(self) -> StatusReply:
        """Return how the scheduler stands."""
        from hsched.wire.status import StatusReply, StatusRequest

        return self._connection.call(StatusRequest(), StatusReply)

    def stop(self, *, force: bool = False, grace: float | None = None) -> str:
        """End the run and the broker, and return the run's folder, which stays.

        Raises:
            Refused: jobs are still queued and ``force`` was not given.
            NoAnswer: the broker is ending, and was not gone within the time-out.
        """
        from hsched.wire.stop import StopReply, StopRequest

        reply = self._connection.call(StopRequest(force=force, grace=grace), StopReply)
        limit = time.monotonic() + self._connection.timeout + (grace or 0.0)
        if not self._connection.wait_for_end(limit):
            raise NoAnswer(f"scheduler {self.name} is ending its jobs; it is not gone yet")
        return reply.folder


def _run_of_our_job(name: str) -> str | None:
    """Return the run that our own job belongs to, where it is one of the same scheduler."""
    if os.environ.get("HSCHED_NAME") == name and "HSCHED_JOB_ID" in os.environ:
        return os.environ.get("HSCHED_RUN_ID")
    return None
