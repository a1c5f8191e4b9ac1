"""``--on-done``: a line that is run once a job is done, whatever became of it.

It is a job of its own, without slots, and comes into the queue in the very transaction in
which the other one ends.  So it runs once, whatever is killed when, has a log, and its
end can be looked up like any other.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hsched.broker import clock, newcomers, patterns, specs
from hsched.broker.job_environment import stream_paths
from hsched.broker.ledger import spec_of
from hsched.broker.newcomers import NO_ENVIRONMENT, Origin
from hsched.broker.parts import Turn
from hsched.broker.store.rows import JobRow
from hsched.core.effects import EndJob
from hsched.core.events import Submitted
from hsched.core.model import JobId, Request, format_job_id, job_id
from hsched.errors import HschedError
from hsched.wire.submit import JobSpec

if TYPE_CHECKING:
    from hsched.broker.broker import Broker

log = logging.getLogger("hsched")

KIND = "hook"

#: These have somebody in front of them, or are what runs after a job.
_WITHOUT = ("adopted", "foreground", KIND)


class Hooks:
    """Queues what is to be run after jobs."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._noted: set[JobId] = set()

    def note(self, job: JobId) -> None:
        """Learn that a job says itself what is to be run after it."""
        self._noted.add(job)

    def follow(self, turn: Turn) -> bool:
        """Queue what follows the ends in a turn, which are written; return whether there is any.

        Where the scheduler is about to end, nothing follows, and the log says so.
        """
        effects, turn.followed = turn.effects[turn.followed :], len(turn.effects)
        for_all = self._broker.run.options.get("on_done")
        if not for_all and not self._noted:
            return False
        ended = [one.job_id for one in effects if isinstance(one, EndJob)]
        found = False
        for job in ended if for_all else self._noted.intersection(ended):
            self._noted.discard(job)
            found = self._queue(job, for_all) or found
        return found

    def _queue(self, ended: JobId, for_all: str | None) -> bool:
        broker = self._broker
        row = broker.store.job(broker.run.number, ended)
        if row is None or row.given.kind in _WITHOUT or row.given.environment == NO_ENVIRONMENT:
            return False
        spec = spec_of(row)
        line = for_all if spec.on_done is None else spec.on_done
        if not line:
            return False
        if broker.stop_request is not None:
            log.info("the line of --on-done for job %s is not run", format_job_id(ended))
            return False
        try:
            self._submit(row, spec, line)
        except HschedError as error:
            log.error("no job for --on-done of job %s: %s", format_job_id(ended), error)
            return False
        return True

    def _submit(self, row: JobRow, spec: JobSpec, line: str) -> None:
        broker = self._broker
        numbers = broker.next_numbers(1)
        hook = JobSpec(
            slots="0", shell=line, kind=KIND, name="on-done", environment=self._told(row, spec)
        )
        nothing = Request((0,) * len(broker.scheduler.resources))
        clocks = (clock.monotonic(), broker.wall)
        new = specs.new_job(job_id(numbers[0]), hook, nothing, (), clocks)
        broker.apply(Submitted((new,), {}))
        broker.numbers_given(numbers)
        origin = Origin(row.given.uid, row.given.cwd, row.given.environment)
        broker.store.add_jobs([newcomers.row(broker, new, hook, origin)])

    def _told(self, row: JobRow, spec: JobSpec) -> dict[str, str]:
        """Return what the line finds in its environment about the job that is done."""
        broker, given, life = self._broker, row.given, row.life
        filled = patterns.filled(spec, given.id, broker.place.name)
        out, err = stream_paths(filled, given.cwd, broker.run_folder, given.id)
        status = life.exit_status
        if status is None and life.signal is not None:
            status = 128 + life.signal
        wall_s = (life.ended_at or 0.0) - life.started_at if life.started_at is not None else 0.0
        return {
            "HSCHED_DONE_ID": format_job_id(given.id),
            "HSCHED_DONE_NAME": given.name or "",
            "HSCHED_DONE_OUTCOME": life.outcome or "",
            "HSCHED_DONE_REASON": life.reason,
            "HSCHED_DONE_STATUS": "" if status is None else str(status),
            "HSCHED_DONE_WALL_S": f"{max(0.0, wall_s):.3f}",
            "HSCHED_DONE_OUT": out,
            "HSCHED_DONE_ERR": err,
        }
