"""Starting jobs: the plan, the shim, and what to do when the machine has no room."""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from hsched.broker import clock, outcomes
from hsched.core.effects import ChangeJob, Effect, StartJob
from hsched.core.events import Ended, NotStarted, Started, StartsStopped
from hsched.core.model import JobId, format_job_id
from hsched.errors import StoreError

if TYPE_CHECKING:
    from hsched.broker.broker import Broker

log = logging.getLogger("hsched")

#: These say that the machine is full now, not that the job is wrong.
_FULL = {
    errno.EAGAIN,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
    errno.ENOSPC,
    errno.EDQUOT,
}

_PAUSE_S = 1.0

#: As many shims are made ahead of their starts, so that an answer never waits for thousands.
_AHEAD = 64


class Starter:
    """Carries out :class:`StartJob`.

    Where processes, descriptors or disk have run out, the job goes back to the queue and
    all starts wait for a second: no job fails because its neighbours are many.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self.deadline: float | None = None
        self._ready: dict[JobId, OSError | StoreError | None] = {}
        self._coming: Iterator[StartJob] = iter(())

    def prepare(self, effects: list[Effect]) -> None:
        """Get ready for the starts among ``effects``, which are about to be committed.

        For the first of them only: each that is started then makes way for another one.
        """
        starts = [one for one in effects if isinstance(one, StartJob)]
        begun, devices = self._broker.standby.has_begun, self._broker.devices
        self._coming = (one for one in starts if not (begun(one) or devices.holds_back(one)))
        for effect in islice(self._coming, _AHEAD):
            self._prepare(effect)

    def start(self, effect: StartJob) -> None:
        """Start a job whose start is on disk."""
        broker, job_id = self._broker, effect.job_id
        if broker.standby.forget(effect):
            self._started(effect)
            return
        if self.deadline is None and job_id not in self._ready:
            self._prepare(effect)
        error = self._ready.pop(job_id, None)
        for following in islice(self._coming, 1):
            self._prepare(following)
        if self.deadline is not None:
            broker.apply(NotStarted(job_id))
            return
        if job_id in broker.foreground:
            broker.foreground.start(effect)
            return
        broker.checkpoint("before start")
        try:
            if error is not None:
                raise error
            broker.shims.start(job_id)
        except OSError as reason:
            self._failed(effect, reason)
            return
        except StoreError as reason:
            outcome = outcomes.spawn_failed(errno.ENOENT, str(reason))
            broker.apply(Ended(job_id, outcome))
            return
        broker.checkpoint("after start")
        self._started(effect)

    def _started(self, effect: StartJob) -> None:
        """Note that a job runs, unless it has ended in the same turn."""
        broker, job_id = self._broker, effect.job_id
        job = broker.scheduler.find(job_id)
        if job is None or job.attempt != effect.attempt:
            return
        # Not worth a commit: after a crash the record tells that it runs.
        ran_s = broker.ledger.ran_s(job_id) or 0.0
        news = broker.scheduler.handle(Started(job_id, ran_s), clock.monotonic())
        broker.announce(job_id)
        broker.wish([one for one in news if one != ChangeJob(job_id)])

    def _prepare(self, effect: StartJob) -> None:
        """Have a shim made, or know why there is none; a job in the foreground has its hrun."""
        if self.deadline is not None or effect.job_id in self._broker.foreground:
            return
        broker, job_id = self._broker, effect.job_id
        self._ready[job_id] = None
        try:
            plan = broker.ledger.plan(effect)
            broker.shims.prepare(job_id, effect.attempt, plan)
        except (OSError, StoreError) as error:
            self._ready[job_id] = error

    def look_at(self, now: float) -> None:
        """Let jobs start again, if the pause is over."""
        if self.deadline is not None and now >= self.deadline:
            self.deadline = None
            if self._broker.may_start:
                self._broker.apply(StartsStopped(again=True))

    def _failed(self, effect: StartJob, error: OSError) -> None:
        broker, job_id = self._broker, effect.job_id
        log.warning("cannot start job %s: %s", format_job_id(job_id), error)
        if error.errno in _FULL:
            broker.apply(StartsStopped())
            broker.apply(NotStarted(job_id))
            self.deadline = clock.monotonic() + _PAUSE_S
        else:
            what = "the broker could not start its shim"
            broker.apply(Ended(job_id, outcomes.spawn_failed(error.errno or 0, what)))
