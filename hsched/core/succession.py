"""Who is next in line: which jobs start on the slots of whichever holder ends first.

Where the head of the queue asks for just what some holders hold, it does not matter
which of these ends first, or how: the head starts on its slots, and after it the job
behind it.  So the broker can lay these jobs out before any holder has ended.  A
promise: as long as no other event comes between, ``Ended(holder)`` of any holder that
:func:`can_be_succeeded` starts the first job that :func:`next_in_line` has told.
"""

from __future__ import annotations

from hsched.core.classes import fits
from hsched.core.job import Job
from hsched.core.ledger import Ledger
from hsched.core.model import JobId, State, format_job_id
from hsched.errors import IllegalTransition


def next_in_line(ledger: Ledger, most: int) -> list[JobId]:
    """Return up to ``most`` jobs, in the order in which they start; none where that is open."""
    if ledger.is_stopped or ledger.elsewhere or ledger.queue.sharing or ledger.queue.is_capped:
        return []
    head = ledger.chooser.next()
    if head is None or fits(head.request.amounts, ledger.inventory.free):
        return []
    # A slot out of use is no successor's, and a holder more than there is room for has none.
    if not ledger.inventory.gives_back(head.request.amounts):
        return []
    alike = [job for job in ledger.holders.values() if job.request == head.request]
    if not alike or any(map(ledger.dependencies.has_downstream, alike)):
        return []  # who waits for a holder may come before the head
    found: list[JobId] = []
    for job in ledger.queue.leading(head, most):
        if ledger.dependencies.has_downstream(job):
            break
        found.append(job.id)
    return found


def can_be_succeeded(job: Job) -> bool:
    """Return whether the end of ``job`` gives its slots to the next in line, however it ends."""
    return not job.retries and job.array_limit is None and not job.request.devices


def check(ledger: Ledger, job: Job, successor: JobId) -> Job:
    """Return the job that is to start on the slots of ``job``.

    Raises:
        NoSuchJob: it is not live.
        IllegalTransition: it does not wait in the queue for just what ``job`` holds.
    """
    found = ledger.get(successor)
    waits = found.state is State.PENDING and found.queued is not None
    if not (waits and found.request == job.request and can_be_succeeded(job)):
        raise IllegalTransition(
            f"job {format_job_id(successor)} is no successor of {format_job_id(job.id)}"
        )
    return found
