"""Jobs come in: submitted by a client, or restored from the store.  All, or none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hsched.core.conditions import Standing, standings
from hsched.core.deadlines import Due
from hsched.core.dependencies import waits_for_itself
from hsched.core.events import Restored, RestoredJob, Submitted
from hsched.core.job import HOLDING, Job
from hsched.core.ledger import Ledger, given_up
from hsched.core.model import (
    Dependency,
    JobId,
    NewJob,
    Request,
    State,
    array_index,
    format_job_id,
    job_id,
    job_number,
)
from hsched.core.transitions import Step
from hsched.errors import IllegalTransition, Refused, WrongUsage


def submitted(ledger: Ledger, event: Submitted) -> None:
    """Let new jobs in.

    Raises:
        IllegalTransition: an id is taken; nothing changed.
        Refused: a job asks for more than there is, or waits for one that nobody
            knows; nothing changed.
        WrongUsage: jobs would wait for each other; nothing changed.
    """
    past = standings(event.finished)
    batch = _Batch.of(ledger, event.jobs)
    checked = None
    for new in event.jobs:
        if new.request is not checked:  # many jobs share one
            check_request(ledger, new.id, new.request)
            checked = new.request
        check_times(new.id, new.time_limit_s, new.grace_s)
        if new.array_limit is not None and new.array_limit < 1:
            raise Refused(f"job {format_job_id(new.id)}: an array of which none may run")
    batch.check_dependencies(ledger, event.jobs, past)
    jobs = {new.id: Job.of(new) for new in event.jobs}
    for job in jobs.values():
        ledger.admit(job)
    _link(ledger, [(jobs[new.id], new.dependencies) for new in event.jobs], past)


def restored(ledger: Ledger, event: Restored) -> None:
    """Take back the jobs that were live when the broker ended.

    Those that held slots get exactly these again.  One that was stopping is told so
    again, for nobody knows whether it was.

    Raises:
        IllegalTransition: an id is taken, or a state and an allocation do not go
            together; nothing changed.
        NotEnoughSlots: two jobs would hold the same slot; nothing changed.
        Refused, WrongUsage: as for submitted jobs; nothing changed.
    """
    past = standings(event.finished)
    batch = _Batch.of(ledger, [old.job for old in event.jobs])
    for old in event.jobs:
        _check_restored(ledger, old)
    waiting = [old.job for old in event.jobs if old.state is State.PENDING]
    batch.check_dependencies(ledger, waiting, past)
    ledger.inventory.retake([old.allocation for old in event.jobs if old.allocation is not None])
    jobs = {old.job.id: _remember(ledger, old) for old in event.jobs}
    for job in jobs.values():
        ledger.admit(job)
    _link(ledger, [(jobs[new.id], new.dependencies) for new in waiting], past)
    for job in jobs.values():
        if job.is_holding:
            ledger.retake(job)
            ledger.deadlines.arm(job, Due.WARN, Due.LIMIT)
        if job.state is State.STOPPING:
            ledger.terminate(job)


def check_request(ledger: Ledger, identity: JobId, request: Request) -> None:
    """Refuse what can never fit.

    Raises:
        Refused: the request is no vector of amounts, or more than there is.
    """
    name, amounts = format_job_id(identity), request.amounts
    if len(amounts) != len(ledger.inventory.pools) or min(amounts, default=0) < 0:
        raise Refused(f"job {name}: {amounts} is not one amount for each resource")
    if shortage := ledger.inventory.shortage(request):
        raise Refused(f"job {name} {shortage}")
    devices = ledger.inventory.devices
    position = None if devices is None else devices.position
    if request.devices and position is not None and amounts[position]:
        raise Refused(
            f"job {name} asks for whole {ledger.inventory.resources[position].name} and for "
            "memory on shared ones; leave one of them out"
        )


def check_times(identity: JobId, limit_s: float | None, grace_s: float) -> None:
    """Refuse lengths of time that are none.

    Raises:
        Refused: one is negative, or no number.
    """
    if not (grace_s >= 0 and (limit_s is None or limit_s >= 0)):
        raise Refused(f"job {format_job_id(identity)}: limit and grace are 0 seconds or more")


def check_known(
    ledger: Ledger, identity: JobId, wanted: Iterable[Dependency], past: Mapping[JobId, Standing]
) -> None:
    """Refuse to wait for a job of which nothing is known.

    Raises:
        Refused: an upstream is neither live nor in ``past``.
    """
    for dependency in wanted:
        if ledger.dependencies.standing(dependency.upstream, past) is None:
            raise Refused(
                f"job {format_job_id(identity)} cannot wait for job "
                f"{format_job_id(dependency.upstream)}: nothing is known of it"
            )


@dataclass(frozen=True, slots=True)
class _Batch:
    """New jobs, and the elements of new arrays by header id; ids were found to be free."""

    jobs: Mapping[JobId, NewJob]
    arrays: Mapping[JobId, list[JobId]]

    @classmethod
    def of(cls, ledger: Ledger, new_jobs: Iterable[NewJob]) -> _Batch:
        """Return a batch of new jobs.

        Raises:
            IllegalTransition: an id is taken, or is there twice.
        """
        jobs: dict[JobId, NewJob] = {}
        arrays: dict[JobId, list[JobId]] = {}
        for new in new_jobs:
            header = job_id(job_number(new.id))
            if array_index(new.id) is not None:
                arrays.setdefault(header, []).append(new.id)
            is_taken = new.id in jobs or header in ledger.jobs
            if is_taken or ledger.arrays.get(job_number(new.id)) is not None:
                raise IllegalTransition(f"job {format_job_id(new.id)} is there already")
            jobs[new.id] = new
        if both := jobs.keys() & arrays.keys():
            raise IllegalTransition(f"job {format_job_id(min(both))} is an array as well")
        return cls(jobs, arrays)

    def check_dependencies(
        self, ledger: Ledger, waiting: Iterable[NewJob], past: Mapping[JobId, Standing]
    ) -> None:
        """Check that all upstreams of ``waiting`` are known, and that no job waits for itself.

        Raises:
            Refused: nothing is known of an upstream.
            WrongUsage: jobs would wait for each other.
        """
        ahead = False
        for new in waiting:
            if not new.dependencies:  # nearly all
                continue
            outer = [d for d in new.dependencies if not self._has(d.upstream)]
            ahead = ahead or _looks_ahead(new)
            check_known(ledger, new.id, outer, past)
        # Live jobs cannot wait for new ones, so a cycle lies within the batch, and somebody
        # in it waits for one that came no earlier.
        if ahead and (found := waits_for_itself(self.jobs, self._upstreams)) is not None:
            raise WrongUsage(f"job {format_job_id(found)} would wait for itself")

    def _has(self, identity: JobId) -> bool:
        return identity in self.jobs or identity in self.arrays

    def _upstreams(self, identity: JobId) -> Iterable[JobId]:
        if identity in self.arrays:
            return self.arrays[identity]
        return [d.upstream for d in self.jobs[identity].dependencies if self._has(d.upstream)]


def _looks_ahead(new: NewJob) -> bool:
    """Whether a job waits for one that has not come before it, so that a cycle is possible."""
    number = job_number(new.id)
    return any(job_number(dependency.upstream) >= number for dependency in new.dependencies)


def _link(
    ledger: Ledger,
    waiting: Iterable[tuple[Job, tuple[Dependency, ...]]],
    past: Mapping[JobId, Standing],
) -> None:
    ledger.dependencies.learn(past)
    endings = []
    pending = []
    for job, wanted in waiting:
        pending.append(job)
        if wanted and (lost := ledger.dependencies.link(job, wanted, past)):
            endings.append((job, given_up(lost), Step.GIVE_UP))
    ledger.end(endings)
    for job in pending:
        if job.state is State.PENDING:
            ledger.deadlines.arm(job, Due.BEGIN)
            ledger.place(job)


def _check_restored(ledger: Ledger, old: RestoredJob) -> None:
    amounts = old.job.request.amounts
    if old.state is State.DONE or (old.state in HOLDING) != (old.allocation is not None):
        name, state = format_job_id(old.job.id), old.state.value
        raise IllegalTransition(f"job {name} is {state} with {old.allocation}")
    if len(amounts) != len(ledger.inventory.pools):
        name = format_job_id(old.job.id)
        raise IllegalTransition(f"job {name} asks for {amounts}, of other resources")


def _remember(ledger: Ledger, old: RestoredJob) -> Job:
    job = Job.of(old.job)
    job.state = old.state
    job.allocation = old.allocation
    job.attempt = old.attempt
    job.passed = old.passed
    job.suspended = old.suspended
    job.verdict = old.verdict
    if job.held:
        job.hold_reason = ledger.inventory.shortage(job.request)
    if job.state in (State.RUNNING, State.STOPPING):
        job.started = ledger.now - old.ran_s
    return job
