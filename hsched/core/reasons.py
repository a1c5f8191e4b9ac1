"""Why a job is pending, and until when.  Computed when asked, never stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from heapq import heapify, heappop, heappush
from itertools import islice
from math import isfinite

from hsched.core.inventory import Inventory
from hsched.core.job import Job
from hsched.core.ledger import Ledger
from hsched.core.model import JobId, Request, State, format_job_id
from hsched.core.sketch import Sketch
from hsched.core.spec import format_amount, format_bytes

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
    if ledger.elsewhere:
        return "in the queue of another scheduler"
    if ledger.is_stopped:
        return "starts are stopped"
    why = _unavailable(ledger, job) or _capped(ledger, job) or _slots(ledger, job, told)
    return why or _behind(ledger)


def forecast(ledger: Ledger, now: float) -> dict[JobId, float]:
    """Return when the first pending jobs start, if all go on to their limits, in order.

    The list ends at the first job that waits for one of which no bound is known.
    """
    starts: dict[JobId, float] = {}
    if ledger.is_stopped or ledger.elsewhere:
        return starts
    moment, sketch = now, Sketch(ledger.inventory)
    ends = [
        (bound, job_id, sketch.part(allocation))
        for bound, job_id in ledger.bounds.known(moment)
        if (allocation := ledger.jobs[job_id].allocation) is not None
    ]
    heapify(ends)
    for job in islice(ledger.queue.in_order(), _FORETOLD):
        if not ledger.inventory.fits_without_jobs(job.request):
            continue
        while not sketch.fits(job.request):
            if not ends:
                return starts
            end, _, part = heappop(ends)
            moment = max(moment, end)
            sketch.release(part)
        starts[job.id] = moment
        part = sketch.take(job.request)
        if job.time_limit_s is not None:
            heappush(ends, (moment + job.length_s, job.id, part))
    return starts


def _unavailable(ledger: Ledger, job: Job) -> str:
    inventory = ledger.inventory
    for resource, pool, amount in zip(
        inventory.resources, inventory.pools, job.request.amounts, strict=True
    ):
        if amount > pool.capacity:
            return f"unavailable: {inventory.shortage(job.request)}"
        if amount > pool.usable:
            if occupied := _occupied(ledger, resource.name):
                there = f"{pool.usable} of {pool.capacity} can be had"
                return f"unavailable: needs {amount} {resource.name}, {there} ({occupied})"
            out = _some(f"{resource.name}:{slot}" for slot in pool.drained)
            if len(pool.drained) == 1:
                return f"unavailable: slot {out} is drained"
            return f"unavailable: slots {out} are drained"
    if not inventory.fits_without_jobs(job.request):
        left = _some(_left(ledger.inventory, with_jobs=False))
        return f"unavailable: needs {inventory.wanted_devices(job.request)}; {left}"
    return ""


def _occupied(ledger: Ledger, name: str) -> str:
    # Who keeps slots of `name` that are devices from going out as a whole.
    devices, inventory = ledger.inventory.devices, ledger.inventory
    if devices is None or devices.position is None:
        return ""
    if inventory.resources[devices.position].name != name:
        return ""
    return _some(
        f"{inventory.device_name(device)}: {why}"
        for device, why in enumerate(devices.occupants)
        if why and inventory.in_use >> device & 1
    )


def _left(inventory: Inventory, with_jobs: bool) -> Iterator[str]:
    # What is left to claim of each device, and who has the rest.
    devices = inventory.devices
    assert devices is not None, "no devices to share"
    for device, memory in enumerate(devices.memory):
        if not inventory.in_use >> device & 1:
            continue
        name, outside = inventory.device_name(device), devices.outside[device]
        claimed = devices.claimed[device] if with_jobs else 0
        if with_jobs and not inventory.shareable >> device & 1:
            yield f"{name} is held as a whole"
            continue
        of_whom = [f"jobs have {format_bytes(claimed)}"] if claimed else []
        if outside:
            why = devices.occupants[device]
            of_whom.append(f"others {format_bytes(outside)}" + (f" ({why})" if why else ""))
        rest = format_bytes(max(0, memory - claimed - outside))
        yield f"{name} has {rest} left" + (f", {' and '.join(of_whom)}" if of_whom else "")


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
            if sharers := _sharers(ledger, index):
                holders = f"{holders}; {sharers}" if holders else sharers
            short.append(f"needs {needed} {resource.name}, {left} free ({holders})")
    request, inventory = job.request, ledger.inventory
    if request.devices and not inventory.fits(
        Request((0,) * len(request.amounts), request.devices, request.memory)
    ):
        left = _some(_left(inventory, with_jobs=True))
        short.append(f"needs {inventory.wanted_devices(request)}; {left}")
    return f"slots: {'; '.join(short)}" if short else ""


def _sharers(ledger: Ledger, position: int) -> str:
    # The jobs that share slots which others want as a whole.
    devices = ledger.inventory.devices
    if devices is None or devices.position != position:
        return ""
    return _some(
        f"job {format_job_id(holder.id)} shares "
        + ", ".join(map(ledger.inventory.device_name, holder.allocation.devices))
        for holder in ledger.holders.values()
        if holder.allocation is not None and holder.allocation.devices
    )


def _behind(ledger: Ledger) -> str:
    head = ledger.chooser.next()
    assert head is not None, "a job that fits waits for nobody"
    return f"behind {format_job_id(head.id)} (priority {head.priority})"


def _some(words: Iterable[str]) -> str:
    words = iter(words)
    named = ", ".join(islice(words, _NAMED))
    more = sum(1 for _ in words)
    return f"{named} and {more} more" if more else named
