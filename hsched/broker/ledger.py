"""What the broker writes down: the core's wishes as rows of the store.

It also knows what the core has no use for: when a job started by the wall clock,
what it used, which environment it has.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from hsched.broker import clock, job_environment, jobserver, patterns
from hsched.broker.devices.placement import Placement, affinity, threads
from hsched.broker.devices.usage import DeviceUse
from hsched.broker.job_environment import Identity, Inherited
from hsched.broker.outcomes import Used
from hsched.broker.store import Store
from hsched.broker.store.rows import (
    Asked,
    JobRow,
    Life,
    Run,
    StartOf,
    allocation_text,
    request_text,
)
from hsched.broker.templates import Template
from hsched.core.devices import GPUS
from hsched.core.effects import ChangeJob, Effect, EndJob, StartJob
from hsched.core.job import Job
from hsched.core.model import Allocation, JobId, Resource, State, array_index, job_id
from hsched.core.scheduler import Scheduler
from hsched.core.told import slot_variables
from hsched.errors import StoreError
from hsched.native.plan import Plan
from hsched.paths import Place
from hsched.wire.message import from_plain, raw
from hsched.wire.submit import JobSpec


class Start(NamedTuple):
    """When an attempt started: wall time, and monotonic time of this boot."""

    wall: float | None = None
    clock: float | None = None


_NEVER = Start()


class Surroundings(NamedTuple):
    """What a command finds around it: variables, some only where it has none, and its cores.

    Its ``own`` have those of its ``slots``, unless the user has set them.
    ``jobserver`` is how many recipes of make it may run at once, None without one.
    """

    own: dict[str, str]
    slots: dict[str, str]
    unless_set: dict[str, str]
    affinity: str | None
    jobserver: int | None


class Ledger:
    """Writes within the transaction of the turn."""

    def __init__(self, store: Store, run: Run, scheduler: Scheduler, place: Place) -> None:
        self._store, self._run, self._scheduler = store, run, scheduler
        self._name, self._run_folder = place.name, place.run_folder(run.name)
        self._started: dict[JobId, Start] = {}
        self._used: dict[JobId, Used] = {}
        self._began: dict[JobId, float] = {}
        #: Where jobs run, and what an ended one did with its devices; the broker sets them.
        self.placement = Placement()
        self.device_use: Callable[[JobId], DeviceUse | None] = lambda _: None
        self._inherited = lru_cache(maxsize=64)(self._read_inherited)
        self._template = lru_cache(maxsize=64)(self._new_template)

    def measured(self, job_id: JobId, used: Used) -> None:
        """Note what an ended job used; it is written with its end."""
        self._used[job_id] = used

    def started(self, job_id: JobId, life: Life) -> None:
        """Note when a job that was found running had started."""
        if life.started_at is not None:
            self._started[job_id] = Start(life.started_at, life.started_clock)

    def began(self, job_id: JobId, wall: float) -> None:
        """Note when a job began that is known only now to have started."""
        self._began[job_id] = wall

    def ran_s(self, job_id: JobId) -> float | None:
        """Return for how many seconds a job has been running; None before its start is written."""
        start = self._started.get(job_id, _NEVER)
        return None if start.clock is None else clock.monotonic() - start.clock

    def write(self, effects: list[Effect], wall: float) -> None:
        """Write what ``effects`` change; each job once, as it stands now."""
        if not effects:
            return
        self._store.begin()
        started: set[JobId] = set()
        changed: set[JobId] = set()
        for effect in effects:
            match effect:
                case EndJob(job_id):
                    self._write_end(effect, wall)
                case StartJob(job_id):
                    at = min(self._began.pop(job_id, wall), wall)
                    self._started[job_id] = Start(at, clock.monotonic() - (wall - at))
                    started.add(job_id)
                case ChangeJob(job_id):
                    changed.add(job_id)
        for job_id in sorted(started | changed):
            job = self._scheduler.find(job_id)
            if job is not None:
                self._write_live(job, job_id in changed)

    def plan(self, effect: StartJob) -> Plan:
        """Return what the shim of a job must know.

        Raises:
            StoreError: the job's environment is not in the store any more.
        """
        who = self.identity(effect.job_id, effect.attempt)
        has_successor = self._scheduler.can_be_succeeded(effect.job_id)
        return self._plan(self._given(effect.job_id), who, effect.allocation, has_successor)

    def offer(self, job: Job, promised: bool) -> bytes | None:
        """Return the plan of a pending job for a shim that knows its slots; None for another's.

        Raises:
            StoreError: the job's environment is not in the store any more.
            ValueError: the plan holds a NUL byte.
        """
        who = self.identity(job.id, job.attempt)
        is_element, amounts = array_index(job.id) is not None, job.request.amounts
        resources = self._scheduler.resources
        template = self._template(self._given(job.id), amounts, resources, is_element)
        return None if template is None else template.offer(who, promised)

    def identity(self, job_id: JobId, attempt: int) -> Identity:
        """Return who a job is, as it is told."""
        return Identity(self._name, self._run.name, job_id, attempt)

    def _given(self, job_id: JobId) -> StartOf:
        found = self._store.start_of(self._run.number, job_id)
        if found is None:
            raise StoreError(f"{self._store.path}: job {job_id} is missing")
        return found

    def _plan(self, given: StartOf, who: Identity, held: Allocation, has_successor: bool) -> Plan:
        environment, cwd, text = given
        spec = _spec(text)
        inherited = self._inherited(environment)
        around = self.surroundings(spec, who, held)
        counts = around.unless_set.items()
        own = {**{k: v for k, v in counts if k not in inherited.names}, **around.own}
        files = job_environment.streams(spec, who, self._run_folder)
        plan = job_environment.plan(spec, cwd, inherited, own, files)
        if around.affinity is not None:
            plan.affinity = around.affinity
        if around.jobserver is not None:
            place = jobserver.folder(self._run_folder, who.job_id, who.attempt)
            plan = jobserver.wrapped(plan, around.jobserver, place)
        if patterns.need_folders(spec):
            plan.make_folders = True
        if has_successor:
            self._part(plan, held, around, spec.environment or {})
        return plan

    def _new_template(
        self,
        given: StartOf,
        amounts: tuple[int, ...],
        resources: tuple[Resource, ...],
        is_element: bool,
    ) -> Template | None:
        """Return what the plans of such jobs share, None where they have more to do with slots."""
        pairs = zip(resources, amounts, strict=True)
        slots = tuple(tuple(range(n)) if one.numbered else () for one, n in pairs)
        anybody = self.identity(job_id(1, 0 if is_element else None), attempt=1)
        plan = self._plan(given, anybody, Allocation(slots, amounts), has_successor=True)
        if plan.holds is None:
            return None
        plan.slots = {}
        return Template.of(plan, _spec(given.spec), anybody, self._run_folder)

    def _part(
        self, plan: Plan, held: Allocation, around: Surroundings, chosen: Mapping[str, str]
    ) -> None:
        """Set the variables of its slots apart in the plan of a job that may have a successor.

        One that has more to do with its very slots has none.
        """
        pairs = zip(self._scheduler.resources, held.amounts, strict=True)
        if (
            plan.leave_children
            or around.affinity is not None
            or around.jobserver is not None
            or any(one.name == GPUS and amount for one, amount in pairs)
        ):
            return
        plan.slots = {raw(name): raw(value) for name, value in around.slots.items()}
        for name in around.slots.keys() - chosen.keys():
            del plan.environment[raw(name)]
        plan.holds = ",".join(map(str, held.amounts))

    def surroundings(self, spec: JobSpec, who: Identity, held: Allocation) -> Surroundings:
        """Return what a command finds around it besides what it inherits."""
        resources, placement = self._scheduler.resources, self.placement
        slots = slot_variables(resources, held, placement.cuda)
        pinned = placement.pinned(resources, held)
        return Surroundings(
            own=job_environment.own_variables(spec, who, slots, self._run_folder),
            slots=slots,
            unless_set=threads(len(pinned)) if pinned else {},
            affinity=affinity(pinned) if pinned else None,
            jobserver=jobserver.slots(spec, self._run.options, resources, held),
        )

    def _read_inherited(self, number: int) -> Inherited:
        content = self._store.environment(number)
        if content is None:
            raise StoreError(f"{self._store.path}: environment {number} is missing")
        return Inherited.parse(content)

    def _write_live(self, job: Job, all_of_it: bool) -> None:
        if all_of_it:  # a start alone changes nothing that was asked
            self._store.write_asked(self._run.number, job.id, asked_of(job))
        if job.state is State.PENDING:
            self._started.pop(job.id, None)
        start = self._started.get(job.id, _NEVER)
        life = life_of(job)._replace(started_at=start.wall, started_clock=start.clock)
        self._store.write_life(self._run.number, job.id, life)

    def _write_end(self, effect: EndJob, wall: float) -> None:
        used = self._used.pop(effect.job_id, Used())
        outcome = effect.outcome
        start = self._started.pop(effect.job_id, _NEVER)
        ended_at = used.ended_at or wall
        life = Life(
            state=State.DONE.value,
            attempt=effect.attempt,
            allocation=allocation_text(effect.allocation),
            # Who was started by a shim began when that was told, at the latest.
            started_at=None if start.wall is None else min(start.wall, ended_at),
            started_clock=start.clock,
            ended_at=ended_at,
            outcome=outcome.kind.value,
            exit_status=outcome.exit_status,
            signal=outcome.signal,
            errno=outcome.errno,
            reason=outcome.reason,
            tree_left=used.tree_left,
            cpu_s=used.cpu_s,
            peak_memory_bytes=used.peak_memory_bytes,
            peak_memory_kind=used.peak_memory_kind,
        )
        self._store.write_life(self._run.number, effect.job_id, life)
        if (use := self.device_use(effect.job_id)) is not None:
            self._store.write_device_use(self._run.number, effect.job_id, use)


def asked_of(job: Job) -> Asked:
    """Return what may change of a job, as the store keeps it."""
    return Asked(
        job.priority,
        int(job.held),
        job.hold_reason,
        request_text(job.request),
        job.time_limit_s,
        job.passed,
    )


def life_of(job: Job) -> Life:
    """Return how a live job goes, as the store keeps it; a verdict is stored beforehand."""
    verdict = job.verdict
    return Life(
        state=job.state.value,
        attempt=job.attempt,
        allocation=allocation_text(job.allocation),
        suspended=int(job.suspended),
        outcome=None if verdict is None else verdict.kind.value,
        reason="" if verdict is None else verdict.reason,
    )


def spec_of(row: JobRow) -> JobSpec:
    """Return what the user asked for."""
    return _spec(row.given.spec)


@lru_cache(maxsize=64)  # the elements of an array have the same text
def _spec(text: str) -> JobSpec:
    return from_plain(JobSpec, json.loads(text))
