"""Why a job is pending, and until when.  Computed when asked, never stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush
from itertools import islice
from math import isfinite

from hsched.core.classes import fits
from hsched.core.job import Job
from hsched.core.ledger import Ledger
from hsched.core.model import JobId, State, format_job_id
from hsched.core.spec import format_amount

#: How many names a reason gives before it says how many more there are.
_NAMED = 3

#: How far into the queue starts are foretold; behind that, guesses are worth nothing.
_FORETOLD = 100


def reason(ledger: Ledger, job: Job, now: float, told: Callable[[float], str] | None = None) -> str:
    """Return why ``job`` is pending at ``now``, in one clause; empty if it is not.

    ``told`` puts a moment into words; without it none is told.
    """
    if job.state is not State.PENDING:
        return ""
    if job.held:
        return f"held: {job.hold_reason}" if job.hold_reason else "held"
    if job.unmet:
        edges = (f"{d.condition.value} {format_job_id(d.upstream)}" for d in job.dependencies)
        return f"dependency: {_some(edges)}"
    if job.queued is None:
        begin = job.not_before or 0.0
        if begin <= now:
            return "begins now"
        return f"begins {told(begin)}" if told else "begins later"
    if ledger.is_stopped:
        return "starts are stopped"
    why = _unavailable(ledger, job) or _capped(ledger, job) or _slots(ledger, job, told)
    return why or _behind(ledger)


def forecast(ledger: Ledger, now: float) -> dict[JobId, float]:
    """Return when the first pending jobs start, if all go on to their limits, in order.

    The list ends at the first job that waits for one of which no bound is known.
    """
    starts: dict[JobId, float] = {}
    if ledger.is_stopped:
        return starts
    moment, inventory = now, ledger.inventory
    headroom, usable = list(inventory.headroom), inventory.usable
    ends = [
        (bound, job_id, inventory.returned(allocation))
        for bound, job_id in ledger.bounds.known(moment)
        if (allocation := ledger.jobs[job_id].allocation) is not None
    ]
    heapify(ends)
    for job in islice(ledger.queue.in_order(), _FORETOLD):
        amounts = job.request.amounts
        if not fits(amounts, usable):
            continue
        while not fits(amounts, [max(0, have) for have in headroom]):
            if not ends:
                return starts
            end, _, returned = heappop(ends)
            moment = max(moment, end)
            headroom = [have + back for have, back in zip(headroom, returned, strict=True)]
        starts[job.id] = moment
        headroom = [have - need for have, need in zip(headroom, amounts, strict=True)]
        if job.time_limit_s is not None:
            heappush(ends, (moment + job.length_s, job.id, list(amounts)))
    return starts


def _unavailable(ledger: Ledger, job: Job) -> str:
    inventory = ledger.inventory
    for resource, pool, amount in zip(
        inventory.resources, inventory.pools, job.request.amounts, strict=True
    ):
        if amount > pool.capacity:
            return f"unavailable: {inventory.shortage(job.request.amounts)}"
        if amount > pool.usable:
            out = _some(f"{resource.name}:{slot}" for slot in pool.drained)
            if len(pool.drained) == 1:
                return f"unavailable: slot {out} is drained"
            return f"unavailable: slots {out} are drained"
    return ""


def _capped(ledger: Ledger, job: Job) -> str:
    array = ledger.arrays.get(job.array)
    if array is None or job.array_limit is None or array.holding < job.array_limit:
        return ""
    return f"array: {array.holding} of its elements run, the most is {job.array_limit}"


def _slots(ledger: Ledger, job: Job, told: Callable[[float], str] | None) -> str:
    short = []
    for index, resource in enumerate(ledger.inventory.resources):
        amount, free = job.request.amounts[index], ledger.inventory.pools[index].free
        if amount > free:
            needed, left = format_amount(resource, amount), format_amount(resource, free)
            holders = _some(
                f"job {format_job_id(holder.id)} holds {format_amount(resource, held)}"
                + (f" until {told(holder.bound)}" if told and isfinite(holder.bound) else "")
                for holder in ledger.holders.values()
                if holder.allocation is not None and (held := holder.allocation.amounts[index])
            )
            short.append(f"needs {needed} {resource.name}, {left} free ({holders})")
    return f"slots: {'; '.join(short)}" if short else ""


def _behind(ledger: Ledger) -> str:
    head = ledger.chooser.next()
    assert head is not None, "a job that fits waits for nobody"
    return f"behind {format_job_id(head.id)} (priority {head.priority})"


def _some(words: Iterable[str]) -> str:
    words = iter(words)
    named = ", ".join(islice(words, _NAMED))
    more = sum(1 for _ in words)
    return f"{named} and {more} more" if more else named
