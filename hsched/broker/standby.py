"""Who starts next without the broker: lays out the next in line, and hears who began.

The core tells who is in line as long as nothing else happens, so the offers are taken
back before any other event comes to it, and before any request is looked at.  Nobody
but this module and the shims ever sees that a job is laid out.
"""

from __future__ import annotations

import sqlite3
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
_MOST = 16


class Standby:
    """The offers of ``broker``."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._begun: set[tuple[JobId, int]] = set()
        self._is_stale = True
        self._taken = 0  # since they were laid out

    def withdraw(self) -> None:
        """Take back what is laid out; what was taken meanwhile has come to the core then."""
        self._is_stale = True
        if self._broker.shims.offers.ids:
            self._broker.shims.withdraw()

    def core_built(self) -> None:
        """Begin anew with a core that was made anew."""
        self._begun.clear()
        self._is_stale = True

    def offer(self) -> bool:
        """Lay out who is next in line, as far as they are not.

        Returns whether others had to be taken back first, so that there may be news.
        """
        if not self._is_stale:
            return False
        line = self._line()
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
        self._is_stale = True
        self._taken += 1
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

    def _line(self) -> list[JobId]:
        broker = self._broker
        if not (broker.may_start and broker.can_write and broker.shims.take_offers):
            return []
        if broker.starter.deadline is not None:
            return []
        most = min(_MOST, 2 + 4 * self._taken)
        return broker.scheduler.next_in_line(max(most, len(broker.shims.offers.ids)))

    def _lay_out(self, job_id: JobId) -> bool:
        broker = self._broker
        job = broker.scheduler.job(job_id)
        if job_id in broker.foreground:
            return False
        try:
            plan = broker.ledger.offer(job, broker.place.name, broker.run_folder)
            if plan is not None:
                broker.shims.offer(job_id, job.attempt, plan)
        except (OSError, sqlite3.Error, StoreError, ValueError):
            return False  # whoever starts it for good finds that out as well, and says so
        return plan is not None
