"""Who starts next without the broker: lays out the next in line, and hears who began.

The core tells who is in line as long as nothing else happens, so the offers are taken
back before any other event comes to it, and before any request is looked at.  Nobody
but this module and the shims ever sees that a job is laid out.

While jobs are brief, each commit also *promises*: it says who may begin before the next
one.  A shim that takes one of these waits for no disk.  After a reboot nobody knows
whether what was promised had begun, so a broker that lives promises nothing for long.
"""

from __future__ import annotations

import contextlib
import sqlite3
from itertools import takewhile
from typing import TYPE_CHECKING

from hsched.broker import clock
from hsched.broker.offers import Offer
from hsched.core.effects import StartJob
from hsched.core.events import Ended
from hsched.core.model import JobId, Outcome
from hsched.errors import StoreError

if TYPE_CHECKING:
    from hsched.broker.broker import Broker

#: As many jobs are laid out at the most, and only where they are short: a request has
#: them all taken back first.
_MOST = 24

#: A job that ended so soon, in seconds, was brief ...
_BRIEF_S = 0.1

#: ... and so the next may be; nothing is promised where none was taken for so long.
_CALM_S = 0.25

#: While so many are laid out, and one for each that runs, brief jobs can do for so long
#: without a broker: several ends that are taken in at once cost little more than one.
_ENOUGH, _PATIENCE_S = 4, 0.003


class Standby:
    """The offers of ``broker``."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._begun: set[tuple[JobId, int]] = set()
        self._is_stale = True
        self._taken = 0  # since they were laid out
        self._line: list[JobId] | None = None  # None: not known
        self._promised: list[JobId] | None = None  # what the store says; None: not known
        self._unfit: JobId | None = None  # the first in line that no shim can go on with
        #: While jobs are brief, when to take back what was promised.
        self.deadline: float | None = None

    def withdraw(self) -> None:
        """Take back what is laid out; what was taken meanwhile has come to the core then."""
        self._is_stale, self._line = True, None
        if self._broker.shims.offers.ids:
            self._broker.shims.withdraw()

    def core_built(self) -> None:
        """Begin anew with a core that was made anew."""
        self._begun.clear()
        self._is_stale, self._line, self._promised = True, None, None
        self._unfit = self.deadline = None

    @property
    def _jobs_are_brief(self) -> bool:
        return self.deadline is not None

    @property
    def patience(self) -> float:
        """For how many seconds nothing needs to be heard of but requests."""
        least = max(_ENOUGH, self._broker.scheduler.running_count)
        enough = self._jobs_are_brief and len(self._broker.shims.offers.ids) >= least
        return _PATIENCE_S if enough else 0.0

    def promise(self) -> None:
        """Write who may begin before the next commit; it counts once this one is done."""
        broker = self._broker
        line = [*broker.shims.offers.ids, *self._next_in_line()] if self._jobs_are_brief else []
        jobs = list(dict.fromkeys(line))
        if jobs != self._promised:
            broker.store.promise(broker.run.number, jobs)
            self._promised = jobs

    def look_at(self, now: float) -> None:
        """Promise nothing more, if jobs are brief no more."""
        if self.deadline is not None and now >= self.deadline:
            self.calm()

    def calm(self) -> None:
        """Promise nothing with the next commit, of which there will be one."""
        if self._promised:
            self.withdraw()  # which may hear of more that were brief
            with contextlib.suppress(sqlite3.Error):  # else the promise is kept
                self._broker.store.begin()
        self.deadline = None

    def offer(self) -> bool:
        """Lay out who is next in line, as far as they are not.

        Returns whether others had to be taken back first, so that there may be news.
        """
        if not self._is_stale:
            return False
        line = self._next_in_line()
        out = self._broker.shims.offers.ids
        if line[: len(out)] != out:
            self.withdraw()
            return True
        self._is_stale, self._taken = False, 0
        for job_id in line[len(out) :]:
            if not self._lay_out(job_id):
                break
        return False

    def succeeded(self, job_id: JobId, outcome: Outcome, offer: Offer, at: float | None) -> None:
        """Take in that a job ended, and that another began on its slots at that moment."""
        broker = self._broker
        self._is_stale, self._line = True, None
        self._taken += 1
        ran_s = broker.ledger.ran_s(job_id)
        if ran_s is not None and ran_s < _BRIEF_S:
            self.deadline = clock.monotonic() + _CALM_S
        self._begun.add((offer.job_id, offer.attempt))
        if at is not None:
            broker.ledger.began(offer.job_id, at)
        event = Ended(job_id, outcome, successor=offer.job_id)
        broker.wish(broker.scheduler.handle(event, clock.monotonic()))

    def has_begun(self, effect: StartJob) -> bool:
        """Return whether a shim has started this job by itself."""
        return (effect.job_id, effect.attempt) in self._begun

    def forget(self, effect: StartJob) -> bool:
        """Return what :meth:`has_begun` does, for the last time."""
        has_begun = self.has_begun(effect)
        self._begun.discard((effect.job_id, effect.attempt))
        return has_begun

    def _next_in_line(self) -> list[JobId]:
        if self._line is None:
            self._line = self._ask_who_is_next()
        return self._line

    def _ask_who_is_next(self) -> list[JobId]:
        broker = self._broker
        if not (broker.may_start and broker.can_write and broker.shims.take_offers):
            return []
        if broker.starter.deadline is not None:
            return []
        most = min(_MOST, 2 + 4 * self._taken)
        line = broker.scheduler.next_in_line(max(most, len(broker.shims.offers.ids)))
        return list(takewhile(self._fits_any_shim, line))

    def _fits_any_shim(self, job_id: JobId) -> bool:
        broker = self._broker
        if job_id == self._unfit or job_id in broker.foreground:
            return False
        return broker.scheduler.can_be_succeeded(job_id)

    def _lay_out(self, job_id: JobId) -> bool:
        broker = self._broker
        job = broker.scheduler.job(job_id)
        try:
            # Where jobs are brief no more, a commit takes the promise back, and no offer.
            promised = self._jobs_are_brief and job_id in (self._promised or ())
            plan = broker.ledger.offer(job, promised)
            if plan is None:
                self._unfit = job_id
                return False
            broker.shims.offer(job_id, job.attempt, plan)
        except (OSError, sqlite3.Error, StoreError, ValueError):
            return False  # whoever starts it for good finds that out as well, and says so
        return True
