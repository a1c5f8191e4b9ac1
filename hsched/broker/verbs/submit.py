"""Answers ``submit``: a batch of jobs, all or none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hsched.broker import clock, dependencies, newcomers, specs
from hsched.broker.dependencies import Batch
from hsched.broker.endpoint import Peer
from hsched.broker.job_environment import environment_content
from hsched.broker.log_folders import LogFolders
from hsched.broker.newcomers import Origin
from hsched.broker.verbs.verb import Verb
from hsched.core.events import Submitted
from hsched.core.model import JobId, NewJob, Request, job_id
from hsched.errors import WrongUsage
from hsched.wire.submit import JobSpec, SubmitReply, SubmitRequest

if TYPE_CHECKING:
    from hsched.broker.broker import Broker


def _submit(broker: Broker, request: SubmitRequest, peer: Peer, _key: str) -> SubmitReply:
    newcomers.check_open(broker)
    has_edges = any(spec.dependencies for spec in request.jobs)
    newcomers.check_run(broker, request.run, has_edges)
    for spec in request.jobs:
        specs.check(spec)
        if spec.pid is not None:
            raise WrongUsage("a process is adopted, not submitted")
    numbers = _numbers(broker, request.jobs)
    batch = dependencies.batch(request.jobs, numbers)
    resources, sharing = broker.scheduler.resources, broker.scheduler.sharing
    meant: dict[tuple[str, int, int, float], Request] = {}
    new: list[tuple[JobSpec, list[NewJob]]] = []
    folders = LogFolders(broker)
    for number, spec in zip(numbers, request.jobs, strict=True):
        if number > broker.last_number + len(new):  # else a job with its unique key is there
            asked = (spec.slots, spec.min_devices, spec.device_memory, spec.device_share)
            if asked not in meant:
                meant[asked] = specs.request(spec, resources, sharing)
            broker.engine.check(spec)
            jobs = _jobs_of(broker, number, spec, batch, meant[asked])
            new.append((folders.of(spec, number), jobs))
    content = environment_content(request.context)
    broker.apply(Submitted(tuple(job for _, jobs in new for job in jobs), batch.finished))
    broker.numbers_given(broker.next_numbers(len(new)))
    broker.store.begin()
    environment = broker.store.add_environment(content)
    origin = Origin(peer.uid, request.context.cwd, environment)
    broker.store.add_jobs(
        row for spec, jobs in new for row in newcomers.rows(broker, jobs, spec, origin)
    )
    return SubmitReply(ids=tuple(str(number) for number in numbers))


def _numbers(broker: Broker, jobs: Sequence[JobSpec]) -> list[int]:
    """Return each job's number: the next one, or that of the live job with its unique key."""
    numbers: list[int] = []
    known: dict[str, int] = {}
    following = broker.last_number + 1
    for spec in jobs:
        number = following
        if spec.unique is not None:
            there = known.get(spec.unique) or newcomers.live_with_key(broker, spec.unique)
            number = known[spec.unique] = there or following
        following += number == following
        numbers.append(number)
    return numbers


def _jobs_of(
    broker: Broker, number: int, spec: JobSpec, batch: Batch, request: Request
) -> list[NewJob]:
    """Return the job that ``spec`` asks for, or the elements of its array."""
    edges = dependencies.resolve_all(broker, spec.dependencies, batch)
    clocks = (clock.monotonic(), broker.wall)
    ids: list[JobId] = [job_id(number, index) for index in spec.array] or [job_id(number)]
    return [specs.new_job(identity, spec, request, edges, clocks) for identity in ids]


VERB = Verb(SubmitRequest, _submit, changes=True)
