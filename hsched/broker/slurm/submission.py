"""Handing jobs over: plans on disk, then sbatch, then a line in the journal."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hsched.broker import clock
from hsched.broker.ledger import spec_of
from hsched.broker.slurm import files, follow
from hsched.broker.slurm.commands import Answer
from hsched.broker.slurm.journal import Remote, terms
from hsched.core.effects import StartJob
from hsched.core.job import Job
from hsched.core.model import (
    Allocation,
    JobId,
    Outcome,
    OutcomeKind,
    State,
    array_index,
    array_of,
    format_job_id,
    job_number,
)
from hsched.slurm import answers, options, script, table
from hsched.slurm.states import Phase
from hsched.wire.submit import JobSpec

if TYPE_CHECKING:
    from hsched.broker.slurm.engine import SlurmEngine

log = logging.getLogger("hsched")

#: Slurm takes a job that it has forgotten for one that succeeded.  So it is asked to wait
#: only for jobs that it was seen to know this many seconds ago at most.
_FRESH_S = 1.0


def submit(engine: SlurmEngine, job: Job) -> bool:
    """Submit a pending job, with the elements of its array; return whether a command was given."""
    broker = engine.broker
    if broker.draining or broker.stop_request is not None:
        return False
    edges = _edges(engine, job)
    if edges is None:
        return False  # hsched waits where Slurm cannot
    if edges and clock.monotonic() - _known_since(engine, job) > _FRESH_S:
        engine.need_look()
        return False
    group = _group(engine, job)
    row = broker.store.job(broker.run.number, job.id)
    assert row is not None, "a live job has a row"
    spec = spec_of(row)
    try:
        _write_plans(engine, group, spec)
    except OSError as error:
        engine.failed(f"cannot write to {engine.files.folder}: {error.strerror}")
        engine.touch(job.id)
        return False
    gpus = any(resource.name == "gpus" for resource in broker.scheduler.resources)
    lease = script.lease(broker.scheduler.resources, relative(engine, job))
    text = engine.files.script(job.id, spec, job.attempt, gpus, lease)
    argv = ["sbatch", "--parsable", f"--chdir={engine.files.folder}"]
    argv += table.arguments(asked(engine, group, spec, edges))
    broker.checkpoint("before sbatch")
    engine.ask(argv, lambda answer: _answered(engine, group, answer), text)
    return True


def _answered(engine: SlurmEngine, group: list[Job], answer: Answer) -> None:
    engine.broker.checkpoint("after sbatch")
    slurm_id = answers.submitted(answer.out) if answer.status == 0 else None
    ids = [job.id for job in group]
    if slurm_id is not None:
        remotes = {
            job.id: Remote(
                slurm_id,
                array_index(job.id),
                job.attempt,
                terms(job),
                held=job.held,
                known_at=clock.monotonic(),
            )
            for job in group
        }
        engine.journal.handed_over(ids, remotes[ids[0]])
        engine.know(remotes)
        engine.touch(*ids)  # they may have changed meanwhile
        engine.look_soon()
        return
    complaint = answers.words(answer.err)
    if answer.status is None or answer.status == 0 or answers.is_temporary(complaint):
        engine.failed(complaint)
        engine.touch(*ids)
        return
    log.warning("Slurm rejects job %s: %s", format_job_id(ids[0]), complaint)
    for identity in ids:
        job = engine.broker.scheduler.find(identity)
        if job is not None:
            why = Outcome(OutcomeKind.SPAWN_FAILED, reason=f"Slurm rejects it: {complaint}")
            follow.refused(engine, job, why)


def _group(engine: SlurmEngine, job: Job) -> list[Job]:
    """Return the job, or the elements of its array that can be submitted with it."""
    whole = array_of(job.id)
    if whole is None:
        return [job]
    like = (job.attempt, job.held, terms(job))
    return [
        one
        for one in engine.broker.scheduler.members(whole)
        if one.state is State.PENDING
        and one.id not in engine.jobs
        and (one.attempt, one.held, terms(one)) == like
    ]


def asked(
    engine: SlurmEngine, group: list[Job], spec: JobSpec, edges: tuple[tuple[str, str], ...]
) -> table.Asked:
    """Return what a job, or the elements of an array, ask of Slurm."""
    job = group[0]
    return table.Asked(
        name=files.name_of(spec),
        tag=engine.queue.tag(job_number(job.id), job.attempt),
        amounts=table.amounts_of(engine.broker.scheduler.resources, job.request.amounts),
        others=engine.others,
        priority=job.priority,
        nice=int(options.number(engine.site, options.NICE, 0)),
        time_limit_s=job.time_limit_s,
        grace_s=job.grace_s,
        begin_at=None if job.attempt > 1 else _future(engine, spec.begin_at),
        held=job.held,
        edges=edges,
        indices=tuple(i for one in group if (i := array_index(one.id)) is not None),
        array_limit=job.array_limit,
        requeue=spec.requeue or spec.retries > 0,
        site=engine.site | options.parse(spec.engine_options),
    )


def _future(engine: SlurmEngine, moment: float | None) -> float | None:
    return moment if moment is not None and moment > engine.broker.wall else None


def _edges(engine: SlurmEngine, job: Job) -> tuple[tuple[str, str], ...] | None:
    """Return what Slurm must wait for; None where it cannot be told so, or not yet."""
    found = []
    for edge in job.dependencies:
        upstream = _upstream(engine, edge.upstream)
        if upstream is None:
            return None
        found.append((edge.condition.value, upstream))
    return tuple(found)


def _upstream(engine: SlurmEngine, upstream: JobId) -> str | None:
    """Return the job of Slurm that is ``upstream``, where one is all of it, and tells its end.

    Of a job in the foreground Slurm does not know that it was cancelled, where it ended well
    all the same.
    """
    if upstream in engine.broker.foreground:
        return None
    if engine.broker.scheduler.find(upstream) is not None:
        remote = engine.jobs.get(upstream)
        return remote.address if remote is not None and _is_known(remote) else None
    members = engine.broker.scheduler.members(upstream)
    remotes = [engine.jobs.get(one.id) for one in members]
    bases = {one.slurm_id if one is not None and _is_known(one) else None for one in remotes}
    return bases.pop() if len(bases) == 1 else None


def _known_since(engine: SlurmEngine, job: Job) -> float:
    """Return when the oldest news of what ``job`` waits for came."""
    scheduler, moments = engine.broker.scheduler, []
    for edge in job.dependencies:
        members = scheduler.members(edge.upstream)
        for one in [each.id for each in members] or [edge.upstream]:
            moments.append(engine.jobs[one].known_at)
    return min(moments)


def _is_known(remote: Remote) -> bool:
    return not (remote.replaced or remote.cancelled or remote.forgotten) and (
        remote.phase is not Phase.ENDED
    )


def relative(engine: SlurmEngine, job: Job) -> Allocation:
    """Return what a job is told to hold: of each resource that has slots, those from 0 on."""
    amounts = job.request.amounts
    slots = tuple(
        tuple(range(amount)) if resource.numbered else ()
        for resource, amount in zip(engine.broker.scheduler.resources, amounts, strict=True)
    )
    return Allocation(slots, amounts)


def _write_plans(engine: SlurmEngine, group: list[Job], spec: JobSpec) -> None:
    broker = engine.broker
    for job in group:
        effect = StartJob(job.id, relative(engine, job), job.attempt)
        plan = broker.ledger.plan(effect)
        engine.files.write_plan(job.id, plan, spec)
