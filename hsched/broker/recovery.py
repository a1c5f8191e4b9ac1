"""Taking over from a broker that ended without `hstop`: who runs, who ended, who never began.

For each job that had been decided to start, its record answers: a held lock means a
shim is there; an ending tells how it ended; a started shim without one was killed; and
where no shim ever wrote, the job has not run.
"""

from __future__ import annotations

import contextlib
import gc
import json
import logging
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hsched.broker import adopted, clock, endings, foreground, records, specs, taken
from hsched.broker.dependencies import Batch, note_finished
from hsched.broker.ledger import spec_of
from hsched.broker.offers import Offer
from hsched.broker.store.rows import JobRow, Life, allocation_of, request_of
from hsched.broker.taken import Taken
from hsched.core.effects import ChangeJob, StartJob
from hsched.core.events import Ended, Restored, RestoredJob, StartsStopped
from hsched.core.model import (
    Allocation,
    Condition,
    Dependency,
    JobId,
    NewJob,
    Outcome,
    OutcomeKind,
    State,
    format_job_id,
)
from hsched.native.record import Exited, Record, Signalled
from hsched.wire.submit import JobSpec

if TYPE_CHECKING:
    from hsched.broker.broker import Broker

log = logging.getLogger("hsched")

_PENDING = State.PENDING.value


@dataclass(frozen=True, slots=True)
class _Found:
    """What became of a job that had been decided to start."""

    job_id: JobId
    attempt: int
    path: str
    pid: int | None = None  # of its live shim
    ended: bool = False  # neither ended nor a pid: it has not run
    rebooted: bool = False
    requeued: bool = False  # it asked to be started again after a reboot
    adopted_at: int | None = None  # start time of the process, in ticks since boot
    foreground: JobSpec | None = None  # its hrun runs it, or waits to
    taken: bool = False  # from the offers: the store does not know that it began ...
    perhaps: bool = False  # ... nor does anybody whether it did
    follower: Offer | None = None  # began on its slots
    follows: bool = False  # is such a follower


def recover(broker: Broker) -> None:
    """Bring all live jobs of the run into the core, and what happened to them since."""
    may_start = not broker.scheduler.starts_stopped
    gc.disable()  # nothing of what is built here becomes garbage
    try:
        restored = restore(broker)
        gc.freeze()  # nor is it looked at again whenever garbage is searched for
    finally:
        gc.enable()
    for found in restored:
        _take_over(broker, found)
    if may_start and broker.scheduler.starts_stopped:
        broker.apply(StartsStopped(again=True))
    broker.engine.recovered()


def restore(broker: Broker) -> list[_Found]:
    """Bring all live jobs into the core as the store has them; return what became of them."""
    rows = list(broker.store.live_jobs(broker.run.number))
    if not rows:
        return []
    rebooted = broker.run.boot_id != clock.boot_id()
    # Of what runs elsewhere, the engine asks who knows.
    is_remote = broker.engine.is_remote
    began = {} if is_remote else taken.find(broker.shims.records.folder)
    found = {
        row.given.id: _look(broker, row, began, rebooted)
        for row in rows
        if (_decided(row) and not is_remote) or row.given.kind == foreground.KIND
    }
    found = _with_taken(rows, found, began, rebooted)
    if rebooted and not is_remote:
        promised = broker.store.promised(broker.run.number)
        found |= _with_promised(rows, found, promised)
    broker.shims.records.sweep({one.path for one in found.values()})
    finished = _finished_upstreams(broker, rows)
    if any(one.follows for one in found.values()):
        broker.apply(StartsStopped())  # until it is known who has begun already
    broker.apply(Restored(tuple(_restored(broker, row, found) for row in rows), finished))
    for row in rows:
        broker.ledger.started(row.given.id, row.life)
        if '"on_done"' in row.given.spec:
            broker.hooks.note(row.given.id)
    log.info("%d live jobs, %d of them started", len(rows), len(found))
    return list(found.values())


def _decided(row: JobRow) -> bool:
    return row.life.state != _PENDING


def _look(broker: Broker, row: JobRow, began: Mapping[str, Taken], rebooted: bool) -> _Found:
    if row.given.kind == "adopted":
        if rebooted:
            return _Found(row.given.id, 1, "", ended=True, rebooted=True)
        spec = spec_of(row)
        return _Found(row.given.id, 1, "", pid=spec.pid, adopted_at=spec.pid_started)
    if row.given.kind == foreground.KIND:
        lost = rebooted and _decided(row)
        spec = spec_of(row)
        if rebooted:
            spec = JobSpec(**{**spec.as_dict(), "pid": 0})
        return _Found(row.given.id, 1, "", spec.pid, ended=lost, rebooted=lost, foreground=spec)
    one = began.get(records.name(row.given.id, row.life.attempt))
    path = broker.shims.records.path(row.given.id, row.life.attempt)
    path = path if one is None else one.offer.path
    found = _Found(row.given.id, row.life.attempt, path)
    if records.is_held(path):
        pid = records.pid_of_holder(path)
        if pid is not None:
            return _Found(found.job_id, found.attempt, path, pid=pid)
    record = records.read(path)
    if rebooted and not _tells_after_reboot(record, row):
        return _lost_power(found, row)
    if record is not None and (record.ending is not None or record.started is not None):
        return _Found(found.job_id, found.attempt, path, ended=True)
    return found


def _with_taken(
    rows: Sequence[JobRow], found: dict[JobId, _Found], began: Mapping[str, Taken], rebooted: bool
) -> dict[JobId, _Found]:
    """Return ``found`` with what shims took while no broker listened.

    Each that was taken comes behind the one on whose slots it began.
    """
    news: list[Taken] = []
    for row in rows if began else ():
        one = began.get(records.name(row.given.id, row.life.attempt))
        if one is not None and not _decided(row):
            news.append(one)
            found[row.given.id] = _look_at_taken(one, row, rebooted)
    if rebooted or not news:
        return found  # after a reboot nobody has any slots
    before = {
        one.job_id: record
        for one in found.values()
        if one.path and not one.taken and (record := records.read(one.path)) is not None
    }
    behind = taken.followers(before, news)
    follows = {offer.job_id for offer in behind.values()}
    in_line: dict[JobId, _Found] = {}
    for first in (job_id for job_id in found if job_id not in follows):
        here: JobId | None = first
        while here is not None:
            follower = behind.get(here)
            in_line[here] = replace(found[here], follower=follower, follows=here in follows)
            here = None if follower is None else follower.job_id
    return in_line


def _look_at_taken(one: Taken, row: JobRow, rebooted: bool) -> _Found:
    seen = _Found(one.offer.job_id, one.offer.attempt, one.offer.path, taken=True)
    pid = records.pid_of_holder(seen.path)
    if pid is not None:
        return replace(seen, pid=pid)
    if not rebooted or isinstance(one.record.ending, Exited | Signalled):
        return replace(seen, ended=True)
    return _lost_power(seen, row)


def _with_promised(
    rows: Sequence[JobRow], found: Mapping[JobId, _Found], promised: Set[JobId]
) -> dict[JobId, _Found]:
    """Return what may have begun when the power went, though nothing but a promise says so."""
    maybe = promised - found.keys()
    return {
        row.given.id: _lost_power(
            _Found(row.given.id, row.life.attempt, "", taken=True, perhaps=True), row
        )
        for row in rows
        if row.given.id in maybe and not _decided(row)
    }


def _lost_power(seen: _Found, row: JobRow) -> _Found:
    """Return what becomes of a job that may have been running when the power went."""
    if spec_of(row).requeue and row.life.outcome is None:
        return replace(seen, requeued=True)
    return replace(seen, ended=True, rebooted=True)


def _tells_after_reboot(record: Record | None, row: JobRow) -> bool:
    """Whether a record has the end of this job, not of one that had the file before.

    A loss of power may keep a record's new name and its old content.
    """
    ending = None if record is None else record.ending
    if not isinstance(ending, Exited | Signalled) or row.life.started_at is None:
        return False
    return ending.usage.ended_at_us >= row.life.started_at * 1_000_000


def _restored(broker: Broker, row: JobRow, found: dict[JobId, _Found]) -> RestoredJob:
    seen = found.get(row.given.id)
    if not _decided(row) and (seen is None or not seen.taken or seen.follows):  # nearly all
        new = _new_job(broker, row)
        return RestoredJob(new, attempt=row.life.attempt, passed=row.asked.passed)
    state = State(row.life.state)
    allocation = allocation_of(row.life.allocation)
    if seen is not None and seen.taken:
        state, allocation = State.STARTING, _unknown_slots(broker)
    if state is State.STARTING and seen is not None and (seen.pid or seen.ended):
        state = State.RUNNING
    if seen is not None and seen.requeued:
        return RestoredJob(
            _new_job(broker, row), attempt=row.life.attempt + 1, passed=row.asked.passed
        )
    verdict = row.life.outcome_or_none()
    return RestoredJob(
        job=_new_job(broker, row),
        state=state,
        allocation=allocation,
        attempt=row.life.attempt,
        passed=row.asked.passed,
        ran_s=_ran_s(broker, row.life),
        suspended=bool(row.life.suspended),
        verdict=verdict,
    )


def _unknown_slots(broker: Broker) -> Allocation:
    """Return what a job holds of which only its own record tells that it began."""
    count = len(broker.scheduler.resources)
    return Allocation(((),) * count, (0,) * count)


def ran_s(life: Life, now: float) -> float:
    """Return for how many seconds a job has been running at ``now``, on the monotonic clock.

    Its start is compared with nothing that can be set.  After a reboot the answer means
    nothing, and the job is lost anyway.
    """
    return 0.0 if life.started_clock is None else max(0.0, now - life.started_clock)


def _ran_s(broker: Broker, life: Life) -> float:
    """Return for how many seconds a job has been running, wherever it does."""
    if not broker.engine.is_remote:
        return ran_s(life, clock.monotonic())
    # A reboot of this machine, and with it of this clock, does not end a job elsewhere.
    return 0.0 if life.started_at is None else max(0.0, broker.wall - life.started_at)


def _new_job(broker: Broker, row: JobRow) -> NewJob:
    request, clocks = request_of(row.asked.request), (clock.monotonic(), broker.wall)
    return specs.new_job(row.given.id, spec_of(row), request, _edges(row), clocks, row.asked)


def _edges(row: JobRow) -> tuple[Dependency, ...]:
    if row.given.depends_on == "[]":
        return ()
    return tuple(
        Dependency(JobId(upstream), Condition(condition))
        for upstream, condition in json.loads(row.given.depends_on)
    )


def _finished_upstreams(broker: Broker, rows: Sequence[JobRow]) -> dict[JobId, Outcome]:
    live = {row.given.id for row in rows}
    among = Batch({}, frozenset())
    for row in rows:
        edges = _edges(row)
        if not edges or _decided(row):
            continue
        for edge in edges:
            if edge.upstream not in live | among.looked_up:
                note_finished(broker, edge.upstream, among)
    return among.finished


def _take_over(broker: Broker, found: _Found) -> None:
    if any(found.job_id in held for held in (broker.shims, broker.adopted, broker.foreground)):
        return  # watched already
    if found.foreground is not None and not found.rebooted:
        broker.foreground.watch(found.job_id, found.foreground)
        return
    if found.adopted_at is not None and found.pid is not None:
        _adopt_again(broker, found.job_id, found.pid, found.adopted_at)
        return
    if found.pid is not None:
        if found.taken:
            broker.wish([ChangeJob(found.job_id)])  # that it runs is to be written
        with contextlib.suppress(ProcessLookupError):
            broker.shims.adopt(found.job_id, found.pid, found.path)
            return
        endings.end_of_shim(broker, found.job_id, found.path, records.read(found.path))
    elif found.requeued:
        broker.wish([ChangeJob(found.job_id)])
    elif found.rebooted:
        reason = "reboot; it may not have begun" if found.perhaps else "reboot"
        broker.apply(Ended(found.job_id, Outcome(OutcomeKind.LOST, reason=reason)))
    elif found.ended:
        record = records.read(found.path)
        endings.end_of_shim(broker, found.job_id, found.path, record, found.follower)
    else:
        log.info("job %s was decided, not begun; starting it", format_job_id(found.job_id))
        allocation = broker.scheduler.job(found.job_id).allocation
        assert allocation is not None, "a starting job holds its slots"
        broker.wish([StartJob(found.job_id, allocation, found.attempt)])


def _adopt_again(broker: Broker, job_id: JobId, pid: int, start_time: int) -> None:
    try:
        broker.adopted.watch(job_id, pid, start_time)
    except ProcessLookupError:
        broker.apply(Ended(job_id, adopted.ENDED))
