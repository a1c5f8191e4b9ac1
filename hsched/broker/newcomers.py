"""The rows of jobs that come in: submitted, submitted again, or adopted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from hsched import paths
from hsched.broker import specs
from hsched.broker.store.rows import Asked, Given, JobRow, Life, request_text
from hsched.core.model import Dependency, NewJob, State, job_number
from hsched.errors import Refused
from hsched.wire.message import to_json
from hsched.wire.submit import JobSpec

if TYPE_CHECKING:
    from hsched.broker.broker import Broker

#: The number of no stored one: for processes that keep the environment which they have.
NO_ENVIRONMENT = 0

_PENDING = Life(state=State.PENDING.value)


class Origin(NamedTuple):
    """Who submits a job, from where, and the number of the stored environment."""

    uid: int
    cwd: str
    environment: int


def check_open(broker: Broker) -> None:
    """Check that jobs may come in.

    Raises:
        Refused: the scheduler is about to end.
    """
    if not broker.may_start:
        doing = "being drained" if broker.draining else "stopping"
        raise Refused(f"scheduler {broker.place.name} is {doing}")


def check_run(broker: Broker, run: str | None, dependencies: bool) -> None:
    """Check that ids are of this run, where the caller knows of which they are.

    Raises:
        Refused: they are of an older one, and would mean other jobs here.
    """
    if dependencies and run is not None and run != broker.run.name:
        raise Refused(
            f"the dependencies are of run {run}, scheduler {broker.place.name} is now in "
            f"run {broker.run.name}; unset HSCHED_RUN_ID if you mean jobs of this one"
        )


def row(
    broker: Broker, job: NewJob, spec: JobSpec, origin: Origin, life: Life = _PENDING
) -> JobRow:
    """Return the row of a new job."""
    return next(rows(broker, (job,), spec, origin))._replace(life=life)


def rows(broker: Broker, jobs: Sequence[NewJob], spec: JobSpec, origin: Origin) -> Iterator[JobRow]:
    """Yield the rows of the jobs that one spec asks for: one, or the elements of an array."""
    first = jobs[0]
    request = request_text(first.request)
    asked = _asked(first.priority, first.held, request, first.time_limit_s)
    given = Given(
        run=broker.run.number,
        id=first.id,
        uid=origin.uid,
        host=_host(),
        kind=spec.kind,
        name=spec.name,
        labels=json.dumps(spec.labels) if spec.labels else "[]",
        unique_key=spec.unique,
        submitted_at=broker.wall,
        environment=origin.environment,
        cwd=origin.cwd,
        spec=to_json(specs.of_element(spec)).decode(),
        depends_on=edges_text(first.dependencies),
    )
    for job in jobs:
        broker.announcer.note_arrival(job.id)
        if spec.on_done is not None:
            broker.hooks.note(job.id)
        yield JobRow(given if job is first else given._replace(id=job.id), asked, _PENDING)


@cache  # to ask the kernel for each of many costs a tenth of their submission
def _host() -> str:
    return paths.host()


@lru_cache(maxsize=64, typed=True)  # 1 and 1.0 have different checksums
def _asked(priority: int, held: bool, request: str, time_limit: float | None) -> Asked:
    return Asked(priority, int(held), "", request, time_limit, 0)


def edges_text(edges: Sequence[Dependency]) -> str:
    """Return dependencies as the store keeps them."""
    return json.dumps([[d.upstream, d.condition.value] for d in edges]) if edges else "[]"


def live_with_key(broker: Broker, key: str) -> int | None:
    """Return the number of the live job, or array, that was submitted with ``--unique key``."""
    condition = "run = ? AND unique_key = ? AND state <> 'done'"
    found = broker.store.ids(condition, (broker.run.number, key))
    return job_number(found[0]) if found else None
