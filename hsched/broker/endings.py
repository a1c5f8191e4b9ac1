"""How the ends of jobs come in: told by their shims, or found where a shim was killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsched.broker import clock, outcomes, records, remains
from hsched.broker.offers import Offer
from hsched.core.events import Ended
from hsched.core.model import JobId
from hsched.native.record import Record

if TYPE_CHECKING:
    from hsched.broker.broker import Broker


def job_over(
    broker: Broker, job_id: JobId, path: str, told: Record | None, offer: Offer | None
) -> None:
    """Take in that a job is over: its shim has told its record, or has itself ended.

    It may have gone on with the job of an ``offer``.

    Where the store cannot be written, that is found again when it can.
    """
    broker.wall = clock.wall()
    if broker.can_write:
        end_of_shim(broker, job_id, path, told or records.read(path), offer)
    else:
        broker.shims.cancel()


def end_of_shim(
    broker: Broker, job_id: JobId, path: str, record: Record | None, offer: Offer | None = None
) -> None:
    """Take in how a job ended, as its ``record`` at ``path`` tells.

    Where it does not, the shim was killed: the job ends once its tree was ended.
    """
    if offer is not None or (record is not None and record.ending is not None):
        used, outcome = outcomes.used_by(record), outcomes.outcome_of(record)
        broker.ledger.measured(job_id, used)
        broker.spent(path)
        if offer is None:
            broker.apply(Ended(job_id, outcome))
        else:
            broker.standby.succeeded(job_id, outcome, offer, used.ended_at)
        return

    def gone() -> None:
        broker.shims.remove_cgroup(path)
        broker.spent(path)
        broker.apply(Ended(job_id, outcomes.outcome_of(record)))

    broker.shims.kill_cgroup(path)
    command = None if record is None else record.command
    remains.Remains(
        waker=broker.waker,
        marks=remains.marks(job_id, broker.run_folder),
        session=None if command is None else command.pid,
        orphans_of_ours=broker.shims.orphans,
        gone=gone,
    ).end()
