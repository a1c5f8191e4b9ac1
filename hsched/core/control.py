"""What people ask for: of jobs, and of the scheduler as a whole.

Each of these looks at all it was given before it changes anything; an id that
is there twice counts once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hsched.core.admission import check_known, check_request, check_times
from hsched.core.conditions import Standing, standings
from hsched.core.dependencies import waits_for_itself
from hsched.core.events import (
    CancelAsked,
    CapacitySet,
    DevicesSeen,
    HoldAsked,
    ReleaseAsked,
    ResumeAsked,
    SignalAsked,
    SlotsDrained,
    StartsStopped,
    SuspendAsked,
    UpdateAsked,
)
from hsched.core.job import Job, shared
from hsched.core.ledger import CONT, STOP, Ledger, given_up
from hsched.core.model import Dependency, JobId, Outcome, OutcomeKind, State, format_job_id
from hsched.core.slots import MAX_SLOTS
from hsched.core.transitions import Step, next_state
from hsched.errors import WrongUsage

_FITS_AGAIN = "fits again: release it"


def cancel_asked(ledger: Ledger, event: CancelAsked) -> None:
    """End pending jobs; stop the others.

    Raises:
        NoSuchJob: one is not live; nothing changed.
    """
    verdict = Outcome(OutcomeKind.CANCELLED, reason=event.reason)
    endings = []
    for job in ledger.find(event.job_ids):
        if job.state is State.PENDING and not ledger.elsewhere:
            endings.append((job, verdict, Step.CANCEL))
        elif job.state is State.STOPPING:
            _hurry(ledger, job, event.grace_s)
        else:
            if job.state is State.PENDING:
                ledger.take(job)  # it may have been started this very moment
            job.grace_s = job.grace_s if event.grace_s is None else event.grace_s
            ledger.stop(job, verdict, Step.CANCEL)
    ledger.end(endings)


def signal_asked(ledger: Ledger, event: SignalAsked) -> None:
    """Pass a signal on.

    Raises:
        NoSuchJob: one is not live; nothing changed.
        Refused: one has not started; nothing changed.
    """
    for job in _allowed(ledger, event.job_ids, Step.SIGNAL):
        ledger.signal(job, event.signal)


def hold_asked(ledger: Ledger, event: HoldAsked) -> None:
    """Keep jobs from starting.

    Raises:
        NoSuchJob: one is not live; nothing changed.
        Refused: one is not pending; nothing changed.
    """
    for job in _allowed(ledger, event.job_ids, Step.HOLD):
        if not job.held:
            job.held = True
            ledger.change(job)
            ledger.place(job)


def release_asked(ledger: Ledger, event: ReleaseAsked) -> None:
    """Let held jobs start again.

    Raises:
        NoSuchJob: one is not live; nothing changed.
        Refused: one is not pending, or asks for more than there is now; nothing changed.
    """
    jobs = _allowed(ledger, event.job_ids, Step.RELEASE)
    for job in jobs:
        if job.held:
            check_request(ledger, job.id, job.request)
    for job in jobs:
        if job.held:
            job.held, job.hold_reason = False, ""
            ledger.change(job)
            ledger.place(job)


def update_asked(ledger: Ledger, event: UpdateAsked) -> None:
    """Change what pending jobs ask for; a held one stays held.

    Raises:
        NoSuchJob: one is not live; nothing changed.
        Refused: one is not pending, would ask for more than there is, or would wait
            for a job that nobody knows; nothing changed.
        WrongUsage: a job would wait for itself; nothing changed.
    """
    jobs = _allowed(ledger, event.job_ids, Step.UPDATE)
    past = standings(event.finished)
    for job in jobs:
        check_times(job.id, event.time_limit_s, job.grace_s)
        if job.id in event.requests:
            check_request(ledger, job.id, event.requests[job.id])
        check_known(ledger, job.id, event.dependencies or (), past)
    if event.dependencies:
        _check_no_cycle(ledger, jobs, event.dependencies)
    ledger.dependencies.learn(past)
    endings = []
    for job in jobs:
        ledger.unqueue(job)
        _change_fields(job, event)
        if lost := _relink(ledger, job, event.dependencies, past):
            endings.append((job, given_up(lost), Step.GIVE_UP))
        else:
            ledger.change(job)
    ledger.end(endings)
    for job in jobs:
        if job.state is State.PENDING:
            ledger.place(job)


def suspend_asked(ledger: Ledger, event: SuspendAsked) -> None:
    """Stop the processes of running jobs, which keep their slots.

    Raises:
        NoSuchJob: one is not live; nothing changed.
        Refused: one is not running; nothing changed.
    """
    _set_suspended(ledger, _allowed(ledger, event.job_ids, Step.SUSPEND), True, STOP)


def resume_asked(ledger: Ledger, event: ResumeAsked) -> None:
    """Continue the processes of suspended jobs.

    Raises:
        NoSuchJob: one is not live; nothing changed.
        Refused: one is not running; nothing changed.
    """
    _set_suspended(ledger, _allowed(ledger, event.job_ids, Step.RESUME), False, CONT)


def capacity_set(ledger: Ledger, event: CapacitySet) -> None:
    """Set the totals, and hold the pending jobs that no longer fit them.

    Raises:
        WrongUsage: not one total per resource, or one that cannot be; nothing changed.
    """
    resources, capacities = ledger.inventory.resources, event.capacities
    if len(capacities) != len(resources):
        raise WrongUsage(f"{len(capacities)} totals for {len(resources)} resources")
    for resource, capacity in zip(resources, capacities, strict=True):
        if capacity < 0 or (resource.numbered and capacity > MAX_SLOTS):
            raise WrongUsage(f"there cannot be {capacity} {resource.name}: 0 to {MAX_SLOTS}")
    ledger.inventory.resize(capacities)
    ledger.is_stirred = True
    for job in ledger.jobs.values():
        if job.state is State.PENDING:
            _hold_if_too_large(ledger, job)


def slots_drained(ledger: Ledger, event: SlotsDrained) -> None:
    """Take slots out of use, or put them back.

    Raises:
        WrongUsage: there is no such resource or slot, or slots are not what it has;
            nothing changed.
    """
    if not 0 <= event.resource < len(ledger.inventory.resources):
        raise WrongUsage(f"there is no resource {event.resource}")
    resource = ledger.inventory.resources[event.resource]
    if not resource.numbered:
        raise WrongUsage(f"{resource.name} is an amount and has no slots")
    for slot in event.slots:
        if not 0 <= slot < resource.capacity:
            raise WrongUsage(f"there is no slot {resource.name}:{slot}")
    ledger.inventory.drain(event.resource, event.slots, event.back)
    ledger.is_stirred = True


def devices_seen(ledger: Ledger, event: DevicesSeen) -> None:
    """Note what outsiders use of the devices; jobs keep what they hold."""
    ledger.inventory.see(event.outside, event.occupants)
    ledger.is_stirred = True


def starts_stopped(ledger: Ledger, event: StartsStopped) -> None:
    """Start nothing more, or look again at what may start."""
    ledger.is_stopped = not event.again
    ledger.is_stirred = True


def _allowed(ledger: Ledger, job_ids: Iterable[JobId], step: Step) -> list[Job]:
    jobs = ledger.find(job_ids)
    for job in jobs:
        next_state(job.id, job.state, step)
    return jobs


def _hurry(ledger: Ledger, job: Job, grace_s: float | None) -> None:
    # A job that is stopping can only be given less time.
    if grace_s is None or job.killed:
        return
    if grace_s < job.grace_s:
        job.grace_s = grace_s
        ledger.change(job)
    if job.started is None:
        return  # It is told when it has started.
    if grace_s <= 0:
        ledger.kill(job)
    else:
        ledger.grant(job, ledger.now + grace_s)


def _set_suspended(ledger: Ledger, jobs: Iterable[Job], suspended: bool, signal: int) -> None:
    for job in jobs:
        if job.suspended != suspended:
            job.suspended = suspended
            ledger.change(job)
            ledger.signal(job, signal)


def _check_no_cycle(
    ledger: Ledger, jobs: Sequence[Job], dependencies: Sequence[Dependency]
) -> None:
    updated = dict.fromkeys(job.id for job in jobs)
    new = tuple(dependency.upstream for dependency in dependencies)

    def new_upstreams(identity: JobId) -> Iterable[JobId]:
        """Return what a job would wait for."""
        return new if identity in updated else ledger.dependencies.upstreams(identity)

    found = waits_for_itself(updated, new_upstreams)
    if found is not None:
        raise WrongUsage(f"job {format_job_id(found)} would wait for itself")


def _change_fields(job: Job, event: UpdateAsked) -> None:
    if event.priority is not None:
        job.priority = event.priority
    if job.id in event.requests:
        job.request = shared(event.requests[job.id])
        job.hold_reason = ""
    if event.time_limit_s is not None:
        job.time_limit_s = event.time_limit_s
    if event.no_time_limit:
        job.time_limit_s = None


def _relink(
    ledger: Ledger,
    job: Job,
    dependencies: Sequence[Dependency] | None,
    past: Mapping[JobId, Standing],
) -> str:
    if dependencies is None:
        return ""
    ledger.dependencies.unlink(job)
    return ledger.dependencies.link(job, dependencies, past)


def _hold_if_too_large(ledger: Ledger, job: Job) -> None:
    reason = ledger.inventory.shortage(job.request)
    if not reason and job.hold_reason:
        reason = _FITS_AGAIN
    if reason != job.hold_reason:
        job.held, job.hold_reason = True, reason
        ledger.change(job)
        ledger.place(job)
