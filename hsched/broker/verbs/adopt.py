"""Answers ``adopt``: lets a process that already runs hold slots, as a job."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hsched.broker import clock, newcomers, remains, specs
from hsched.broker.adopted import ENDED
from hsched.broker.endpoint import Peer
from hsched.broker.newcomers import NO_ENVIRONMENT, Origin
from hsched.broker.store.rows import Life, allocation_text
from hsched.broker.verbs.drain import parse_slots
from hsched.broker.verbs.verb import Verb
from hsched.core.events import Ended, Restored, RestoredJob
from hsched.core.model import Allocation, NewJob, Resource, State, format_job_id, job_id
from hsched.core.spec import format_amount, parse_request
from hsched.errors import Refused
from hsched.wire.adopt import AdoptRequest
from hsched.wire.message import text
from hsched.wire.submit import JobSpec, SubmitReply

if TYPE_CHECKING:
    from hsched.broker.broker import Broker


def _adopt(broker: Broker, request: AdoptRequest, peer: Peer, _key: str) -> SubmitReply:
    newcomers.check_open(broker)
    broker.engine.refuse("hadopt")
    spec, cwd = _spec(broker, request)
    specs.check(spec)
    amounts = parse_request(request.slots, broker.scheduler.resources)
    allocation = _allocation(broker, amounts.amounts, request.at)
    numbers = broker.next_numbers(1)
    new = NewJob(
        id=job_id(numbers[0]),
        request=amounts,
        time_limit_s=request.time_limit,
        grace_s=request.grace,
    )
    # It runs already, so it comes into the core as one that a broker finds running.
    broker.apply(Restored((RestoredJob(new, State.RUNNING, allocation),)))
    broker.numbers_given(numbers)
    life = Life(
        state=State.RUNNING.value,
        allocation=allocation_text(allocation),
        started_at=broker.wall,
        started_clock=clock.monotonic(),
    )
    broker.ledger.started(new.id, life)
    broker.store.begin()
    origin = Origin(peer.uid, cwd, NO_ENVIRONMENT)
    broker.store.add_jobs([newcomers.row(broker, new, spec, origin, life)])
    broker.announce(new.id)
    try:
        assert spec.pid is not None, "an adopted job has one"
        broker.adopted.watch(new.id, spec.pid, spec.pid_started or 0)
        broker.devices.taken_over(broker.scheduler.job(new.id))
    except ProcessLookupError:
        broker.apply(Ended(new.id, ENDED))
    return SubmitReply(ids=(format_job_id(new.id),))


def _spec(broker: Broker, request: AdoptRequest) -> tuple[JobSpec, str]:
    """Return what is known of the process, and its working directory.

    Raises:
        Refused: there is none, it is not ours, or it is part of a job.
    """
    pid = request.pid
    started = remains.start_time(pid) if 0 < pid < 1 << 31 else None
    if started is None:
        raise Refused(f"there is no process {pid}")
    try:
        if os.stat(f"/proc/{pid}").st_uid != os.getuid():
            raise Refused(f"process {pid} belongs to another user")
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            argv = tuple(text(word) for word in file.read().split(b"\0")[:-1])
        cwd = text(os.readlink(os.fsencode(f"/proc/{pid}/cwd")))
    except OSError as error:
        raise Refused(f"process {pid} cannot be looked at: {error.strerror}") from error
    if not argv:
        raise Refused(f"process {pid} has ended, or is none that can be adopted")
    _check_unknown(broker, pid)
    spec = JobSpec(
        slots=request.slots,
        argv=argv,
        name=request.name,
        labels=request.labels,
        kind="adopted",
        time_limit=request.time_limit,
        grace=request.grace,
        pid=pid,
        pid_started=started,
    )
    return spec, cwd


def _check_unknown(broker: Broker, pid: int) -> None:
    parents = {process.pid: process.parent for process in remains.process_table()}
    ours = broker.shims.pids | broker.adopted.pids | broker.foreground.pids
    above: int | None = pid
    while above:
        if above in ours:
            raise Refused(f"process {pid} is part of a job already")
        above = parents.get(above)
    if pid == os.getpid():
        raise Refused(f"process {pid} is the broker itself")


def _allocation(broker: Broker, amounts: tuple[int, ...], at: tuple[str, ...]) -> Allocation:
    """Return what the process is going to hold: the slots of ``at``, then the lowest free ones.

    Raises:
        Refused: it is not free now.
        WrongUsage: ``at`` names slots that there are not.
    """
    scheduler = broker.scheduler
    named = parse_slots(at, scheduler.resources)
    slots: list[tuple[int, ...]] = []
    for position, resource in enumerate(scheduler.resources):
        amount, taken = amounts[position], _taken(broker, position)
        free = scheduler.free[position]
        if resource.numbered:  # one that outsiders occupy may well be held by this process
            free = sum(slot not in taken for slot in range(resource.capacity))
        if amount > free:
            asked, left = format_amount(resource, amount), format_amount(resource, free)
            raise Refused(f"{asked} {resource.name} asked for, {left} free; see `hjobs running`")
        wanted = named.get(position, set())
        if len(wanted) > amount:
            raise Refused(f"--at names {len(wanted)} {resource.name}, and {amount} are asked for")
        slots.append(_slots(resource, amount, wanted, taken))
    return Allocation(tuple(slots), amounts)


def _taken(broker: Broker, position: int) -> set[int]:
    """Return the slots that cannot go out now: held, drained or shared."""
    taken = set(broker.scheduler.drained[position])
    sharing = broker.scheduler.sharing
    for job in broker.scheduler.holders():
        if job.allocation is not None:
            taken.update(job.allocation.slots[position])
            if sharing is not None and sharing.position == position:
                taken.update(job.allocation.devices)
    return taken


def _slots(resource: Resource, amount: int, wanted: set[int], taken: set[int]) -> tuple[int, ...]:
    if not resource.numbered:
        return ()
    if clash := wanted & taken:
        raise Refused(f"slot {resource.name}:{min(clash)} is held or drained; see `hjobs running`")
    others = (one for one in range(resource.capacity) if one not in taken | wanted)
    lowest = [slot for slot, _ in zip(others, range(amount - len(wanted)), strict=False)]
    return tuple(sorted({*wanted, *lowest}))


VERB = Verb(AdoptRequest, _adopt, changes=True)
