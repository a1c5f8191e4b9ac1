"""The client: one typed method per verb.

The commands use nothing else, so whatever they can do a script can.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from hsched import paths
from hsched.client import asks
from hsched.client.connection import Connection
from hsched.client.job import Job
from hsched.client.subscription import Subscription
from hsched.client.task_verbs import TaskVerbs
from hsched.errors import NoAnswer, NotRunning
from hsched.wire.jobs import JobsReply, JobsRequest, JobView
from hsched.wire.slots import ResourceView
from hsched.wire.submit import Context, JobSpec

if TYPE_CHECKING:
    from hsched.wire.devices import DevicesReply
    from hsched.wire.status import StatusReply
    from hsched.wire.stop import StopReply

R = TypeVar("R")

DEFAULT_TIMEOUT_S = 60.0


class Client(TaskVerbs):
    """Speaks with the broker of one scheduler of this user on this machine.

    ``name`` is the scheduler's, by default ``HSCHED_NAME`` or ``default``; ``timeout``
    bounds each request in seconds.  A broker that was killed is brought back by the
    first request that misses it.  Not for several threads at once: give each its own.

    Whatever speaks with the broker may raise, besides what it names itself, NotRunning where
    no scheduler has this name, and NoAnswer where the time is up: the request may have been
    done then, or be done later.  After any other error the queue is as it was before.
    """

    def __init__(self, name: str | None = None, timeout: float = DEFAULT_TIMEOUT_S) -> None:
        self.place = paths.place(name or paths.default_name())
        self._connection = Connection(self.place, timeout)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
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
        return [Job(self, one) for one in self._do(asks.submit(self.name, specs, context))]

    def jobs(
        self,
        *words: str,
        scope: str = "live",
        states: Sequence[str] = (),
        run: str | None = None,
        last: int | None = None,
        after: str | None = None,
    ) -> Iterator[JobView]:
        """Yield jobs in order of id, fetched page by page.

        ``words`` choose by id, range or name; ``scope`` is ``live``, ``done``, ``failed``
        or ``all``; ``run`` names an older run; ``last`` asks for the newest N,
        ``after`` for those with a larger id.

        Raises:
            NoSuchJob: a word fits no job in that scope.
        """
        newest = (last, after)
        request: JobsRequest | None = asks.jobs_request(words, scope, states, run, newest)
        while request is not None:
            page = self._page(request)
            yield from page.jobs
            request = asks.next_page(request, page)

    def _page(self, request: JobsRequest) -> JobsReply:
        try:
            return self._do(asks.jobs(request))
        except NotRunning:
            if request.scope == "live":
                raise
            from hsched.client.history import read_history  # for a stopped scheduler alone

            return read_history(self.place, request, JobsReply)

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
        ids = self._do(asks.kill(words, everything, states, signal, grace))
        if wait and asks.is_awaited(ids, signal):
            limit = self._connection.timeout + (grace or 0.0)
            with contextlib.suppress(NotRunning):  # it was drained: its last jobs are gone
                if not self.wait(ids, timeout=limit):
                    raise NoAnswer(f"some of {', '.join(ids)} are not gone after {limit:g} s")
        return ids

    def hold(self, words: Iterable[str] = (), **choice: Any) -> list[str]:
        """Keep pending jobs from starting until :meth:`release`; return their ids.

        ``words`` are ids, ranges, ``last``, names (``name:train``) and labels
        (``label:night``); ``everything=True`` means all live jobs, ``states`` narrows.
        Here and below: where a word means several, only those in a fitting state count.

        Raises:
            NoSuchJob: a word fits no live job; nothing was done.
            Refused: a job is not pending; nothing was done.
        """
        return self._do(asks.hold(words, choice))

    def release(self, words: Iterable[str] = (), **choice: Any) -> list[str]:
        """Let held jobs start again; return their ids.  ``words`` as in :meth:`hold`.

        Raises:
            NoSuchJob: a word fits no live job; nothing was done.
            Refused: a job is not pending, or asks for more than there is now.
        """
        return self._do(asks.release(words, choice))

    def suspend(self, words: Iterable[str] = (), **choice: Any) -> list[str]:
        """Stop the processes of running jobs, which keep their slots; return their ids.

        Raises:
            NoSuchJob: a word fits no live job; nothing was done.
            Refused: a job is not running; nothing was done.
        """
        return self._do(asks.suspend(words, choice))

    def resume(self, words: Iterable[str] = (), **choice: Any) -> list[str]:
        """Let the processes of suspended jobs continue; return the jobs' ids.

        Raises:
            NoSuchJob: a word fits no live job; nothing was done.
            Refused: a job is not running; nothing was done.
        """
        return self._do(asks.resume(words, choice))

    def update(self, words: Iterable[str] = (), **changes: Any) -> list[str]:
        """Change what pending jobs ask for; return their ids.  ``words`` as in :meth:`hold`.

        ``changes`` are ``priority``, ``slots`` (a word), ``time_limit`` (seconds) or
        ``no_time_limit=True``, ``dependencies`` (words, which replace the old ones), and
        ``min_devices``, ``device_memory`` (bytes) or ``device_share`` as in a JobSpec.

        Raises:
            NoSuchJob: a word fits no live job; nothing was done.
            Refused: a job is not pending, or would ask for more than there is.
            WrongUsage: a word makes no sense, or a job would wait for itself.
        """
        return self._do(asks.update(self.name, words, changes))

    def rerun(self, words: Iterable[str] = (), *, failed: bool = False) -> list[Job]:
        """Submit jobs again that are done, and return handles on the new ones.

        ``words`` as in :meth:`hold`; ``failed`` means all that did not succeed and were
        not submitted again before.

        Raises:
            NoSuchJob: a word fits no job that is done; nothing was queued.
            Refused: a job is live or was adopted, or its environment was deleted.
        """
        return [Job(self, one) for one in self._do(asks.rerun(words, failed))]

    def adopt(self, pid: int, slots: str, **given: Any) -> Job:
        """Let a process that already runs hold ``slots`` until it ends; return its job.

        ``given`` may be ``at`` (slots such as ``gpus:1`` that it uses), ``name``,
        ``labels``, ``time_limit`` and ``grace`` in seconds.  Its exit status is not known
        here: it ends as lost.

        Raises:
            Refused: the slots are not free, or it is no process that can be adopted.
            WrongUsage: a word makes no sense.
        """
        return Job(self, *self._do(asks.adopt(pid, slots, given)))

    def _do(self, ask: asks.Ask[R]) -> R:
        return ask.made_of(self._connection.call(ask.request, ask.reply))

    def wait(
        self, ids: Sequence[str], *, any_of: bool = False, timeout: float | None = None
    ) -> bool:
        """Wait until all (or any) of these jobs are done; False after ``timeout`` seconds.

        Raises:
            NoSuchJob: an id was never given out in this run.
        """
        waiting = asks.Waiting(ids, any_of)
        with self.subscribe(ids, timeout, ends=True) as changes:
            for change in changes:
                if waiting.is_over(change.id, change.state):
                    return True
        return False

    def subscribe(
        self,
        ids: Sequence[str] | None = None,
        timeout: float | None = None,
        *,
        arrivals: bool = False,
        ends: bool = False,
    ) -> Subscription:
        """Return a stream of changes; it ends after ``timeout`` seconds, None for never.

        First comes how each of ``ids`` stands, then what changes; None means all jobs.
        With ``arrivals`` jobs that come in are told as well, as ``pending``, and
        :meth:`Subscription.page` returns an empty page where slots have changed.  With ``ends``
        nothing is told of what changes but how jobs end.
        """
        return Subscription(self.place, ids, timeout, arrivals=arrivals, ends=ends)

    def log(
        self,
        word: str,
        *,
        err: bool = False,
        follow: bool = False,
        last: int | None = None,
        run: str | None = None,
    ) -> Iterator[bytes]:
        """Yield what a job has written to its standard output, or to that for errors.

        ``last`` leaves out all but the last N lines; ``follow`` goes on until the job is
        done.  ``run`` names an older run.

        Raises:
            NoSuchJob: the word fits no job.
            Refused: it fits several, or the job has written no file.
        """
        from hsched.client import log  # for one command alone

        job = log.only(self.jobs(word, scope="all", run=run, last=2))
        if job is None:
            raise log.several(word, next(self.jobs(word, scope="all", run=run)))
        if follow and job.state != "done":
            yield from log.follow(self, job, err, last)
        else:
            yield from log.contents(job, err, last)

    def slots(self) -> tuple[ResourceView, ...]:
        """Return the resources: totals, used and free, drained slots."""
        return self._do(asks.slots())

    def devices(self) -> DevicesReply:
        """Return the GPUs by slot, and which jobs hold them."""
        return self._do(asks.devices())

    def set_slots(self, spec: str) -> tuple[ResourceView, ...]:
        """Set the totals that ``spec`` names (``8,2,32``, ``gpus=1``); return the resources.

        Jobs keep what they hold to their end, also where that is more than there is now.

        Raises:
            WrongUsage: it names no totals of these resources.
        """
        return self._do(asks.set_slots(spec))

    def drain_slots(self, words: Iterable[str], *, back: bool = False) -> tuple[ResourceView, ...]:
        """Take slots (``gpus:1``, ``cores:4-7``) out of use, or put them ``back``.

        Who holds one keeps it to its end.  Returns the resources.

        Raises:
            WrongUsage: a word names no slot that there is.
        """
        return self._do(asks.drain_slots(words, back))

    def status(self) -> StatusReply:
        """Return how the scheduler stands."""
        return self._do(asks.status())

    def stop(self, *, force: bool = False, grace: float | None = None) -> str:
        """End the run and the broker, and return the run's folder, which stays.

        ``force`` cancels the jobs before, with ``grace`` seconds between TERM and KILL, by
        default what each of them has.

        Raises:
            Refused: jobs are still queued and ``force`` was not given.
            NoAnswer: the broker is ending, and was not gone within the time-out.
        """
        reply = self._do(asks.stop(force=force, grace=grace))
        limit = time.monotonic() + self._connection.timeout + (grace or 0.0)
        if not self._connection.wait_for_end(limit):
            raise NoAnswer(f"scheduler {self.name} is ending its jobs; it is not gone yet")
        return reply.folder

    def drain(self) -> StopReply:
        """Start nothing more, and end the broker when nothing runs; return at once.

        Pending jobs stay for `hstart --continue`.  The reply counts the running and the
        pending jobs; where none runs, and it ``asks`` nobody else, the broker is gone by then.

        Raises:
            NoAnswer: the broker is ending, and was not gone within the time-out.
        """
        reply = self._do(asks.stop(drain=True))
        limit = time.monotonic() + self._connection.timeout
        ends = not (reply.running or reply.asks)
        if ends and not self._connection.wait_for_end(limit):
            raise NoAnswer(f"scheduler {self.name} is ending; it is not gone yet")
        return reply
