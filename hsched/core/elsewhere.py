"""What is told of jobs that another scheduler starts: it decides, and this one takes note.

Such a scheduler starts nothing by itself (``Scheduler(elsewhere=True)``).  Its pending
jobs wait in the other's queue and may start at any moment, so cancelling one takes as
long as cancelling one that runs: it is *stopping* until the other has said that it is
gone (``NotStarted``, or ``StartedElsewhere`` and ``Ended``).
"""

from __future__ import annotations

from hsched.core.events import GivenUp, Requeued, StartedElsewhere
from hsched.core.ledger import Ledger
from hsched.core.model import State, format_job_id
from hsched.core.transitions import Step
from hsched.errors import IllegalTransition


def started_elsewhere(ledger: Ledger, event: StartedElsewhere) -> None:
    """Note that a job runs, whatever it was thought to wait for.

    Raises:
        NoSuchJob: it is not live; nothing changed.
        IllegalTransition: it ran already; nothing changed.
    """
    job = ledger.get(event.job_id)
    if job.started is not None:
        raise IllegalTransition(f"job {format_job_id(job.id)} has started")
    if job.state is State.PENDING:
        ledger.take(job)
    ledger.run(job, max(0.0, event.ran_s))


def requeued(ledger: Ledger, event: Requeued) -> None:
    """Let a job that ran wait for another start, as its next attempt.

    Raises:
        NoSuchJob: it is not live; nothing changed.
        IllegalTransition: it did not run, or shall end; nothing changed.
    """
    ledger.retry(ledger.get(event.job_id))


def given_up(ledger: Ledger, event: GivenUp) -> None:
    """End a pending job that the other scheduler does not want, or has no more.

    Raises:
        NoSuchJob: it is not live; nothing changed.
        IllegalTransition: it is not pending; nothing changed.
    """
    ledger.end([(ledger.get(event.job_id), event.outcome, Step.GIVE_UP)])
