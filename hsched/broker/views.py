"""Rows as scripts see them: the keys of ``--json``."""

from __future__ import annotations

import json
import os
import pwd
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from hsched.broker import clock, patterns, records
from hsched.broker.devices.usage import DeviceUse
from hsched.broker.job_environment import stream_paths
from hsched.broker.ledger import spec_of
from hsched.broker.store import Store
from hsched.broker.store.rows import JobRow, Life, Run, allocation_of, request_of
from hsched.core.devices import GPUS
from hsched.core.job import Job
from hsched.core.model import (
    Allocation,
    JobId,
    Request,
    Resource,
    State,
    array_index,
    format_job_id,
    job_number,
)
from hsched.core.scheduler import Scheduler
from hsched.paths import Place
from hsched.wire.jobs import DependencyView, Held, JobView
from hsched.wire.submit import JobSpec

if TYPE_CHECKING:
    from hsched.broker.engines import Engine


@dataclass(frozen=True, slots=True)
class Viewer:
    """Shows the jobs of one run; ``scheduler`` is None for a run that is not live."""

    place: Place
    run: Run
    store: Store
    scheduler: Scheduler | None
    wall: float
    #: What a live job has done with its devices so far.
    device_use: Callable[[JobId], DeviceUse | None] = lambda _: None
    engine: Engine | None = None
    #: Where the record of a job that runs is, where that does not follow from its id.
    record_of: Callable[[JobId], str | None] = lambda _: None

    def find(self, job_id: JobId) -> Job | None:
        """Return a job as the core knows it, None where it is not live."""
        return None if self.scheduler is None else self.scheduler.find(job_id)

    @property
    def resources(self) -> tuple[Resource, ...]:
        """The resources of the run."""
        return self.run.resources if self.scheduler is None else self.scheduler.resources

    def view(self, row: JobRow) -> JobView:
        """Return a job as it stands: a live one as the core knows it."""
        given, life = row.given, row.life
        live = self.find(given.id)
        spec = spec_of(row)
        folder = self.place.run_folder(self.run.name)
        filled = patterns.filled(spec, given.id, self.place.name)
        out, err = None, None
        if spec.pid is None:  # nobody here knows where an adopted process writes
            out, err = stream_paths(filled, given.cwd, folder, given.id)
        done = life if live is None else Life(state=live.state.value)
        index = array_index(given.id)
        request, held = request_of(row.asked.request), allocation_of(life.allocation)
        use = self._device_use(row, _devices(self.resources, held))
        return JobView(
            id=format_job_id(given.id),
            run=self.run.name,
            scheduler=self.place.name,
            host=given.host,
            uid=given.uid,
            user=_user(given.uid),
            name=given.name,
            labels=tuple(json.loads(given.labels)),
            state=done.state,
            outcome=done.outcome,
            reason=self._reason(life, live, use),
            exit_status=done.exit_status,
            signal=done.signal,
            tree_left=life.tree_left,
            command=_command(spec),
            request=_request(self.resources, request),
            allocation=_allocation(self.resources, held),
            priority=row.asked.priority,
            depends_on=self._depends_on(row),
            array_id=None if index is None else str(job_number(given.id)),
            array_index=index,
            attempt=life.attempt,
            submitted_at=clock.stamp(given.submitted_at),
            started_at=clock.stamp(life.started_at),
            ended_at=clock.stamp(life.ended_at),
            wall_s=_wall(life, self.wall),
            cpu_s=life.cpu_s,
            peak_memory_bytes=life.peak_memory_bytes,
            peak_memory_kind=life.peak_memory_kind,
            suspended=None if live is None else live.suspended,
            expected_start_at=self._expected(live),
            cwd=given.cwd,
            out=out,
            err=err,
            min_devices=request.devices,
            device_memory_bytes=request.memory,
            devices=_devices(self.resources, held),
            peak_device_memory_bytes=use.peak_memory,
            mean_device_utilisation=use.utilisation,
            untouched_devices=use.untouched,
            pid=self._pid(given.id, done.state, life.attempt) if spec.pid is None else spec.pid,
            engine_id=None if self.engine is None else self.engine.engine_id(given.id),
        )

    def _pid(self, job_id: JobId, state: str, attempt: int) -> int | None:
        """Return the first process of a job that runs, as its record has it."""
        if state not in (State.RUNNING.value, State.STOPPING.value):
            return None
        folder = os.path.join(self.place.folder, self.run.name, "records")
        path = self.record_of(job_id) or os.path.join(folder, records.name(job_id, attempt))
        record = records.read(path)
        return record.command.pid if record is not None and record.command is not None else None

    def _device_use(self, row: JobRow, devices: tuple[int, ...] | None) -> DeviceUse:
        found = None
        if devices and row.life.state == State.DONE.value:
            found = self.store.device_use(row.given.run, row.given.id)
        elif devices:
            found = self.device_use(row.given.id)
        return found or DeviceUse(None, None, None)

    def _reason(self, life: Life, live: Job | None, use: DeviceUse) -> str | None:
        if live is not None and live.state is State.PENDING and self.scheduler is not None:
            ours = self.scheduler.reason(live.id, clock.monotonic(), self._told)
            theirs = "" if self.engine is None else self.engine.reason(live)
            waits_here = not theirs or live.held or live.unmet
            return f"{ours} ({theirs})" if theirs and waits_here else theirs or ours
        unused = ", ".join(f"{GPUS}:{slot}" for slot in use.untouched or ())
        told = (life.reason, f"never used {unused}, which it held" if unused else "")
        return "; ".join(filter(None, told)) or None

    def _expected(self, live: Job | None) -> str | None:
        """Return when a pending job starts if all go on to their limits, where that is known."""
        if live is None or live.state is not State.PENDING or self.scheduler is None:
            return None
        now = clock.monotonic()
        moment = self.scheduler.expected_start(live.id, now)
        return None if moment is None else clock.stamp(self.wall + moment - now)

    def _told(self, moment: float) -> str:
        return clock.told(self.wall + moment - clock.monotonic(), self.wall)

    def _depends_on(self, row: JobRow) -> tuple[DependencyView, ...]:
        return tuple(
            DependencyView(
                id=format_job_id(JobId(upstream)),
                condition=condition,
                state=self._state(JobId(upstream)),
            )
            for upstream, condition in json.loads(row.given.depends_on)
        )

    def _state(self, job_id: JobId) -> str:
        live = self.find(job_id)
        if live is not None:
            return live.state.value
        waits = self.scheduler is not None and self.scheduler.has_members(job_id)
        return State.PENDING.value if waits else State.DONE.value


@lru_cache(maxsize=64)
def _user(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None


def _command(spec: JobSpec) -> tuple[str, ...]:
    return spec.argv if spec.shell is None else ("/bin/sh", "-c", spec.shell)


def _request(resources: tuple[Resource, ...], request: Request) -> dict[str, Held]:
    return {r.name: Held(amount=a) for r, a in zip(resources, request.amounts, strict=False)}


def _devices(resources: tuple[Resource, ...], held: Allocation | None) -> tuple[int, ...] | None:
    """Return the GPUs that a job holds or held, None where it has not started."""
    if held is None:
        return None
    for resource, slots in zip(resources, held.slots, strict=False):
        if resource.name == GPUS and resource.numbered and resource.capacity:
            return held.devices or slots
    return ()


def _allocation(resources: tuple[Resource, ...], held: Allocation | None) -> dict[str, Held] | None:
    if held is None:
        return None
    return {
        r.name: Held(
            amount=len(slots) if r.numbered else amount, slots=slots if r.numbered else None
        )
        for r, slots, amount in zip(resources, held.slots, held.amounts, strict=False)
    }


def _wall(life: Life, now: float) -> float | None:
    if life.started_at is None:
        return None
    return max(0.0, (life.ended_at or now) - life.started_at)
