"""What the world tells of jobs: they started, they ended, time passed."""

from __future__ import annotations

from hsched.core import succession
from hsched.core.deadlines import Due, moment
from hsched.core.events import Ended, NotStarted, Started, TimePassed
from hsched.core.job import Job
from hsched.core.ledger import Ledger
from hsched.core.model import Outcome, OutcomeKind, State, format_job_id
from hsched.core.transitions import Step
from hsched.errors import IllegalTransition

#: What a shell makes of a signal: an exit status above this number.
_SIGNAL_STATUS = 128


def started(ledger: Ledger, event: Started) -> None:
    """Note that a job runs.

    Raises:
        NoSuchJob: it is not live; nothing changed.
        IllegalTransition: it was not starting; nothing changed.
    """
    ledger.run(ledger.get(event.job_id), event.ran_s)


def not_started(ledger: Ledger, event: NotStarted) -> None:
    """Take back the slots of a job that could not be started now; it is first in line again.

    Raises:
        NoSuchJob: it is not live; nothing changed.
        IllegalTransition: it was not starting; nothing changed.
    """
    job = ledger.get(event.job_id)
    if job.state is State.STOPPING and job.started is not None:
        raise IllegalTransition(f"job {format_job_id(job.id)} has started")
    if job.verdict is not None:
        ledger.end([(job, job.verdict, Step.NOT_STARTED)])
    else:
        ledger.put_back(job)


def ended(ledger: Ledger, event: Ended) -> None:
    """End a job, or let it wait for another try; its successor, if any, runs on its slots.

    Raises:
        NoSuchJob: it is not live, or its successor is not; nothing changed.
        IllegalTransition: it was not even starting, or that is no successor; nothing changed.
    """
    job, outcome = ledger.get(event.job_id), event.outcome
    successor = None
    if event.successor is not None:
        successor = succession.check(ledger, job, event.successor)
    if job.verdict is not None:
        reason = job.verdict.reason or outcome.reason
        outcome = Outcome(job.verdict.kind, outcome.exit_status, outcome.signal, reason=reason)
    elif _deserves_retry(job, outcome):
        ledger.retry(job)
        return
    slots = job.allocation
    ledger.end([(job, outcome, Step.ENDED)])
    if successor is not None:
        ledger.start(successor, slots)


def time_passed(ledger: Ledger, event: TimePassed) -> None:
    """Do what is due."""
    for job, due in ledger.deadlines.pop_due(ledger.now):
        if due is Due.BEGIN:
            ledger.place(job)
        elif due is Due.WARN:
            _warn(ledger, job)
        elif due is Due.LIMIT:
            ledger.stop(job, Outcome(OutcomeKind.TIMED_OUT), Step.TIME_OUT)
        elif due is Due.KILL:
            ledger.kill(job)
        else:
            ledger.is_stirred = True  # Nobody knows any more when its slots are back.


def _deserves_retry(job: Job, outcome: Outcome) -> bool:
    if outcome.kind is OutcomeKind.FAILED:
        status = outcome.exit_status
    elif outcome.kind is OutcomeKind.SIGNALLED:
        status = _SIGNAL_STATUS + (outcome.signal or 0)
    else:
        return False
    return job.attempt <= job.retries and (not job.retry_on or status in job.retry_on)


def _warn(ledger: Ledger, job: Job) -> None:
    limit = moment(job, Due.LIMIT)
    # Too late is not at all: the job is told to end in this very turn.
    if job.warning is not None and limit is not None and ledger.now < limit:
        ledger.signal(job, job.warning.signal)
