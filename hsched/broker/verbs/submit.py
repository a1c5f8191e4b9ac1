"""Answers ``submit``: a batch of jobs, all or none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hsched import paths
from hsched.broker import clock, dependencies
from hsched.broker.dependencies import Batch
from hsched.broker.endpoint import Peer
from hsched.broker.job_environment import environment_content
from hsched.broker.store.rows import Asked, Given, JobRow, Life, request_text
from hsched.broker.verbs.verb import Verb
from hsched.core.events import Submitted
from hsched.core.model import (
    JobId,
    LimitWarning,
    NewJob,
    State,
    array_index,
    job_id,
)
from hsched.core.spec import parse_request
from hsched.errors import Refused, WrongUsage
from hsched.wire.message import to_json
from hsched.wire.submit import JobSpec, SubmitReply, SubmitRequest

if TYPE_CHECKING:
    from hsched.broker.broker import Broker

_MAX_NAME = 255


def _submit(broker: Broker, request: SubmitRequest, peer: Peer, _key: str) -> SubmitReply:
    if broker.stop_request is not None:
        raise Refused(f"scheduler {broker.place.name} is stopping")
    if request.run is not None and request.run != broker.run.name:
        _check_run(broker, request)
    for spec in request.jobs:
        _check(spec)
    numbers = broker.next_numbers(len(request.jobs))
    batch = dependencies.batch(request.jobs, numbers)
    new: list[NewJob] = []
    rows: list[JobRow] = []
    given = _Common(broker, request, peer)
    for number, spec in zip(numbers, request.jobs, strict=True):
        for job in _jobs_of(broker, number, spec, batch):
            new.append(job)
            rows.append(given.row(job, spec, batch))
    broker.apply(Submitted(tuple(new), batch.finished))
    broker.numbers_given(numbers)
    broker.store.begin()
    given.store_environment()
    broker.store.add_jobs(row._replace(given=given.complete(row.given)) for row in rows)
    return SubmitReply(ids=tuple(str(number) for number in numbers))


class _Common:
    """What the rows of one batch share."""

    def __init__(self, broker: Broker, request: SubmitRequest, peer: Peer) -> None:
        self._broker, self._context, self._peer = broker, request.context, peer
        self._environment = 0

    def store_environment(self) -> None:
        """Store the environment, or find it stored."""
        content = environment_content(self._context)
        self._environment = self._broker.store.add_environment(content)

    def complete(self, given: Given) -> Given:
        """Return ``given`` with what is known only once the batch was accepted."""
        return given._replace(environment=self._environment)

    def row(self, job: NewJob, spec: JobSpec, batch: Batch) -> JobRow:
        """Return the row of a new job, its environment still open."""
        given = Given(
            run=self._broker.run.number,
            id=job.id,
            uid=self._peer.uid,
            host=paths.host(),
            kind=spec.kind,
            name=spec.name,
            labels=json.dumps(spec.labels),
            unique_key=spec.unique,
            submitted_at=self._broker.wall,
            environment=0,
            cwd=self._context.cwd,
            spec=to_json(spec).decode(),
            depends_on=json.dumps([[d.upstream, d.condition.value] for d in job.dependencies]),
        )
        asked = Asked(
            job.priority, int(job.held), "", request_text(job.request), job.time_limit_s, 0
        )
        return JobRow(given, asked, Life(state=State.PENDING.value))


def _jobs_of(broker: Broker, number: int, spec: JobSpec, batch: Batch) -> list[NewJob]:
    """Return the job that ``spec`` asks for, or the elements of its array."""
    request = parse_request(spec.slots, broker.scheduler.resources)
    edges = tuple(dependencies.resolve(broker, word, batch) for word in spec.dependencies)
    warning = None
    if spec.warn_signal is not None:
        warning = LimitWarning(spec.warn_signal, spec.warn_before)
    ids: list[JobId] = [job_id(number, index) for index in spec.array] or [job_id(number)]
    return [
        NewJob(
            id=identity,
            request=request,
            priority=spec.priority,
            dependencies=edges,
            held=spec.hold,
            not_before=_moment(spec.begin_at, broker.wall),
            time_limit_s=spec.time_limit,
            grace_s=spec.grace,
            warning=warning,
            retries=spec.retries,
            retry_on=spec.retry_on,
            array_limit=spec.array_limit if array_index(identity) is not None else None,
        )
        for identity in ids
    ]


def _moment(at: float | None, wall: float) -> float | None:
    return None if at is None else clock.monotonic() + at - wall


def _check(spec: JobSpec) -> None:
    """Check what the core does not know of.

    Raises:
        WrongUsage: it cannot be; the text says which field.
    """
    if not spec.argv and spec.shell is None:
        raise WrongUsage("no command given")
    if spec.argv and not spec.argv[0]:
        raise WrongUsage("the command's name is empty")
    variables = (spec.environment or {}).items()
    words = (*spec.argv, spec.shell, spec.stdin, spec.stdout, spec.stderr, *sum(variables, ()))
    if any("\0" in word for word in words if word):
        raise WrongUsage("a NUL byte in a command, a path or a variable")
    if any("=" in name or not name for name, _ in variables):
        raise WrongUsage("the name of a variable is empty or holds `=`")
    name = spec.name
    if name is not None and (not name or len(name.encode("utf-8", "surrogatepass")) > _MAX_NAME):
        raise WrongUsage(f"job name {name[:40]!r}: 1 to {_MAX_NAME} bytes")
    if spec.grace < 0:
        raise WrongUsage(f"grace {spec.grace:g}: 0 or more seconds")


def _check_run(broker: Broker, request: SubmitRequest) -> None:
    """Refuse ids of an older run, which would mean other jobs here."""
    if any(spec.dependencies for spec in request.jobs):
        raise Refused(
            f"the dependencies are of run {request.run}, scheduler {broker.place.name} is now in "
            f"run {broker.run.name}; unset HSCHED_RUN_ID if you mean jobs of this one"
        )


VERB = Verb(SubmitRequest, _submit, changes=True)
