"""Answers ``rerun``: submits jobs again that are done, as new jobs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from hsched.broker import clock, newcomers, specs
from hsched.broker.dependencies import Batch, note_finished
from hsched.broker.endpoint import Peer
from hsched.broker.ledger import spec_of
from hsched.broker.log_folders import LogFolders
from hsched.broker.newcomers import Origin
from hsched.broker.selection import meaning
from hsched.broker.store.rows import JobRow
from hsched.broker.verbs.verb import Verb
from hsched.core.events import Submitted
from hsched.core.model import (
    Condition,
    Dependency,
    JobId,
    NewJob,
    OutcomeKind,
    State,
    array_index,
    format_job_id,
    job_id,
    job_number,
)
from hsched.errors import NoSuchJob, Refused, WrongUsage
from hsched.wire.rerun import RerunRequest
from hsched.wire.submit import JobSpec, SubmitReply

if TYPE_CHECKING:
    from hsched.broker.broker import Broker


#: The kinds of jobs whose command is nothing that could be run from here.
_ELSEWHERE = ("adopted", "foreground", "hook")


class _Again(NamedTuple):
    """A new job, what it asks for, and the row of the old one."""

    job: NewJob
    spec: JobSpec
    old: JobRow


def _rerun(broker: Broker, request: RerunRequest, peer: Peer, _key: str) -> SubmitReply:
    newcomers.check_open(broker)
    rows = _failed(broker) if request.failed else _meant(broker, request.words)
    for row in rows:
        _check(broker, row)
    old_numbers = list(dict.fromkeys(job_number(row.given.id) for row in rows))
    numbers = broker.next_numbers(len(old_numbers))
    numbered = dict(zip(old_numbers, numbers, strict=True))
    among = Batch({}, frozenset())
    ids = {row.given.id: _new_id(row, numbered) for row in rows}
    ids |= {job_id(old): job_id(new) for old, new in numbered.items()}
    folders = LogFolders(broker)
    again = [_again(broker, row, ids, among) for row in rows]
    again = [one._replace(spec=folders.of(one.spec, job_number(one.job.id))) for one in again]
    broker.apply(Submitted(tuple(one.job for one in again), among.finished))
    broker.numbers_given(numbers)
    broker.store.begin()
    broker.store.add_jobs(
        newcomers.row(broker, one.job, one.spec, _origin(one.old, peer)) for one in again
    )
    return SubmitReply(ids=tuple(map(str, numbers)))


def _failed(broker: Broker) -> list[JobRow]:
    """Return the jobs that did not succeed and were not submitted again yet."""
    run = broker.run.number
    where = "run = ? AND spec LIKE '%\"rerun_of\":%'"
    before = {spec_of(row).rerun_of for row in broker.store.select_jobs(where, (run,), "")}
    where = f"run = ? AND state = 'done' AND outcome <> ? AND kind NOT IN {_ELSEWHERE}"
    values = (run, OutcomeKind.SUCCEEDED.value)
    rows = broker.store.select_jobs(where, values, "ORDER BY id")
    return [row for row in rows if format_job_id(row.given.id) not in before]


def _meant(broker: Broker, words: Sequence[str]) -> list[JobRow]:
    """Return the jobs that ``words`` mean, in order of id, each once."""
    found: dict[JobId, JobRow] = {}
    for word in words:
        what = meaning(word, broker.last_number)
        # A group means those of it that are done; a job by its id must be.
        done = "" if what.is_one else "AND state = 'done'"
        values = (broker.run.number, *what.values)
        rows = broker.store.select_jobs(f"run = ? {done} AND {what.condition}", values, "")
        if not rows:
            raise NoSuchJob(f"couldn't find job {word} among those that are done")
        found.update((row.given.id, row) for row in rows)
    if not found:
        raise WrongUsage("say which jobs to submit again")
    return [found[one] for one in sorted(found)]


def _check(broker: Broker, row: JobRow) -> None:
    name = format_job_id(row.given.id)
    if row.life.state != State.DONE.value:
        raise Refused(f"job {name} is {row.life.state}; hrerun is for jobs that are done")
    if row.given.kind in _ELSEWHERE:
        how = "was adopted" if row.given.kind == "adopted" else f"is of kind {row.given.kind}"
        raise Refused(f"job {name} {how}: there is no command that could be queued again")
    if broker.store.environment(row.given.environment) is None:
        raise Refused(
            f"job {name}: its environment was deleted, as it is some time after the end; "
            "submit it anew with hsubmit"
        )


def _new_id(row: JobRow, numbered: dict[int, int]) -> JobId:
    old = row.given.id
    return job_id(numbered[job_number(old)], array_index(old))


def _again(broker: Broker, row: JobRow, ids: dict[JobId, JobId], among: Batch) -> _Again:
    """Return the job that does what the one of ``row`` did.

    A dependency on a job that is submitted again as well is one on its successor.
    """
    edges = []
    for upstream, condition in json.loads(row.given.depends_on):
        identity = ids.get(JobId(upstream))
        if identity is None:
            identity = JobId(upstream)
            if identity not in among.looked_up and broker.scheduler.find(identity) is None:
                note_finished(broker, identity, among)
        edges.append(Dependency(identity, Condition(condition)))
    given = {**spec_of(row).as_dict(), "hold": False, "rerun_of": format_job_id(row.given.id)}
    spec = JobSpec(**given)
    request = specs.request(spec, broker.scheduler.resources, broker.scheduler.sharing)
    clocks = (clock.monotonic(), broker.wall)
    new = specs.new_job(ids[row.given.id], spec, request, tuple(edges), clocks)
    return _Again(new, spec, row)


def _origin(row: JobRow, peer: Peer) -> Origin:
    return Origin(peer.uid, row.given.cwd, row.given.environment)


VERB = Verb(RerunRequest, _rerun, changes=True)
