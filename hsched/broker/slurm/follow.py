"""Following jobs through Slurm: what was seen, and what the records say, as events of the core."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from hsched.broker import clock, outcomes
from hsched.broker.slurm import srun
from hsched.broker.slurm.commands import Answer
from hsched.broker.slurm.journal import Remote, terms
from hsched.broker.store.rows import Life
from hsched.core.events import Ended, GivenUp, NotStarted, Requeued, StartedElsewhere
from hsched.core.job import Job
from hsched.core.model import JobId, Outcome, OutcomeKind, State, format_job_id
from hsched.native.record import Record
from hsched.slurm import answers, states
from hsched.slurm.answers import Seen, Told
from hsched.slurm.states import Phase

if TYPE_CHECKING:
    from hsched.broker.slurm.engine import SlurmEngine

log = logging.getLogger("hsched")


def take_in(engine: SlurmEngine, seen: list[Seen]) -> bool:
    """Take in a look at the queue; return whether anything is new."""
    before = {one: (remote.state, remote.reason) for one, remote in engine.jobs.items()}
    found = {(one.job_id, one.slurm_id): one for one in seen}
    for (job_id, slurm_id), one in found.items():
        remote = engine.jobs.get(job_id)
        if remote is None:
            _recognise(engine, job_id, one)
        elif remote.slurm_id != slurm_id:
            _stray(engine, job_id, one)
    for job_id, remote in list(engine.jobs.items()):
        here = found.get((job_id, remote.slurm_id))
        if here is None:
            _forgotten(engine, job_id, remote)
        else:
            if _update(remote, here):
                advance(engine, job_id)
                engine.touch(job_id)
            elif remote.reason == "BeginTime":
                engine.touch(job_id)  # it may have to be told again that it can start
    after = {one: (remote.state, remote.reason) for one, remote in engine.jobs.items()}
    return before != after


def advance(engine: SlurmEngine, job_id: JobId) -> None:
    """Bring the core to where a job of Slurm is, over as many attempts as there were."""
    remote = engine.jobs[job_id]
    while (job := engine.broker.scheduler.find(job_id)) is not None:
        if not _step(engine, job, remote):
            return
    if remote.phase is Phase.ENDED:
        del engine.jobs[job_id]


def gone(engine: SlurmEngine, job: Job) -> None:
    """End a job that shall end and is not in Slurm."""
    if job.started is None:
        engine.broker.apply(NotStarted(job.id))
    else:
        _end(engine, job, Outcome(OutcomeKind.LOST, reason="Slurm does not know it"), None)


def refused(engine: SlurmEngine, job: Job, outcome: Outcome) -> None:
    """End a job that Slurm does not take."""
    if job.state is State.PENDING:
        engine.broker.apply(GivenUp(job.id, outcome))
    else:
        gone(engine, job)


def _step(engine: SlurmEngine, job: Job, remote: Remote) -> bool:
    """Make one step of a job's life; return whether another may follow."""
    if job.id in engine.broker.foreground:
        return srun.follow_step(engine, job, remote)
    if job.started is not None:
        return _step_ofstarted(engine, job, remote)
    began = engine.files.is_claimed(job.id, job.attempt)
    is_first = job.attempt == remote.first
    if began or remote.phase is Phase.RUNNING or (is_first and _has_placed(remote)):
        started(engine, job, remote)
        return True
    if remote.phase is not Phase.ENDED:
        return False
    is_over = remote.replaced or not (is_first or states.is_cancelled(remote.state))
    if is_over and job.state is State.PENDING:
        del engine.jobs[job.id]  # it is submitted anew
        engine.touch(job.id)
        return False
    outcome = states.never_ran(remote.state, remote.reason)
    refused(engine, job, outcome)
    return True


def _step_ofstarted(engine: SlurmEngine, job: Job, remote: Remote) -> bool:
    is_back = remote.phase is Phase.WAITING or engine.files.is_claimed(job.id, job.attempt + 1)
    if not is_back and remote.phase is Phase.RUNNING:
        return False
    record = engine.files.record(job.id, job.attempt)
    has_ending = record is not None and record.ending is not None
    if is_back:
        if has_ending:  # it has failed, and its script has put it back into the queue
            _end(engine, job, outcomes.outcome_of(record), record)
        elif job.state is State.RUNNING:
            log.info("job %s was requeued by Slurm", format_job_id(job.id))
            engine.broker.apply(Requeued(job.id))
        else:
            return False  # it shall end, and is cancelled where it waits
        return True
    told = Told(remote.state, None, None, remote.reason)
    recorded = outcomes.outcome_of(record) if has_ending else None
    _end(engine, job, states.outcome(told, recorded, engine.files.log), record)
    return True


def _has_placed(remote: Remote) -> bool:
    """Whether it ended after Slurm had found it a node; its script may not have come far."""
    return remote.phase is Phase.ENDED and bool(remote.nodes)


def started(engine: SlurmEngine, job: Job, remote: Remote) -> None:
    """Bring to the core that a job has started, and when."""
    broker = engine.broker
    wall = clock.wall()
    at = min(wall, remote.started_at if remote.started_at is not None else wall)
    if job.attempt > remote.first and remote.phase is not Phase.RUNNING:
        at = wall  # what Slurm tells is the start of another attempt
    row = broker.store.job(broker.run.number, job.id)
    if row is not None:  # Slurm tells whole seconds
        at = max(at, min(row.given.submitted_at, wall))
    ran_s = wall - at
    life = Life(State.RUNNING.value, started_at=at, started_clock=clock.monotonic() - ran_s)
    broker.ledger.started(job.id, life)
    broker.apply(StartedElsewhere(job.id, ran_s))


def _end(engine: SlurmEngine, job: Job, outcome: Outcome, record: Record | None) -> None:
    engine.broker.ledger.measured(job.id, outcomes.used_by(record))
    engine.broker.apply(Ended(job.id, outcome))


def _update(remote: Remote, seen: Seen) -> bool:
    """Take note of what was seen; return whether it is new."""
    before = (remote.state, remote.reason, remote.nodes, remote.started_at)
    after = (seen.state, seen.reason, seen.nodes, seen.started_at)
    remote.state, remote.reason, remote.nodes, remote.started_at = after
    if before[0] == "PENDING" != remote.state and remote.phase is not Phase.ENDED:
        remote.cancelled = False  # it was to be taken from the queue, and has left it by itself
    is_first = not remote.known_at  # in this life: the journal does not tell what is held
    if is_first:
        remote.held = seen.reason == "JobHeldUser"
    remote.known_at, remote.forgotten = clock.monotonic(), False
    return is_first or before != after


def _recognise(engine: SlurmEngine, job_id: JobId, seen: Seen) -> None:
    """Take up a job that a killed broker has submitted, or end one that nobody wants."""
    job = engine.broker.scheduler.find(job_id)
    if job is None:
        _stray(engine, job_id, seen)
        return
    began = engine.files.is_claimed(job_id, seen.tag.attempt)
    is_older = seen.tag.attempt < job.attempt
    if states.phase(seen.state) is Phase.ENDED and (is_older or not began):
        return  # rejected, withdrawn or over by then: nothing of it is left
    log.info("job %s is slurm job %s", format_job_id(job_id), seen.slurm_id)
    remote = Remote(seen.slurm_id, seen.element, seen.tag.attempt, terms(job))
    engine.journal.handed_over([job_id], remote)
    engine.know({job_id: remote})


def _stray(engine: SlurmEngine, job_id: JobId, seen: Seen) -> None:
    """Cancel a job of Slurm that is none of ours any more, or a second one for the same job."""
    if states.phase(seen.state) is Phase.ENDED or seen.state == "COMPLETING":
        return
    mine = engine.jobs.get(job_id)
    is_live = engine.broker.scheduler.find(job_id) is not None
    waits = is_live and mine is not None and mine.phase is Phase.WAITING
    if waits and seen.slurm_id == engine.files.claimed_by(job_id, seen.tag.attempt):
        assert mine is not None, "it waits"
        seen = _swapped(engine, job_id, mine, seen)
    engine.strays[seen.address] = job_id


def _swapped(engine: SlurmEngine, job_id: JobId, mine: Remote, seen: Seen) -> Seen:
    """Follow the one that runs, and return the other as the second."""
    winner = Remote(seen.slurm_id, seen.element, mine.first, mine.terms)
    engine.journal.handed_over([job_id], winner)
    engine.know({job_id: winner})
    _update(winner, seen)
    return seen._replace(slurm_id=mine.slurm_id, state=mine.state)


def _forgotten(engine: SlurmEngine, job_id: JobId, remote: Remote) -> None:
    """Find out what became of a job that squeue does not show: its record, else whoever knows."""
    remote.forgotten = True
    job = engine.broker.scheduler.find(job_id)
    if job is None or job_id in engine.broker.foreground:  # whose hrun tells its end
        del engine.jobs[job_id]
        return
    record = engine.files.record(job_id, job.attempt)
    if record is not None and record.ending is not None:
        remote.state = "COMPLETED"
        advance(engine, job_id)
        return
    engine.inquiries.append(job_id)


def inquire(engine: SlurmEngine, job_id: JobId, argvs: Iterable[list[str]] | None = None) -> bool:
    """Ask sacct, then scontrol, about a forgotten job; return whether a command was given."""
    remote, job = engine.jobs.get(job_id), engine.broker.scheduler.find(job_id)
    if remote is None or job is None or not remote.forgotten:
        return False
    rest = list(argvs) if argvs is not None else _witnesses(remote.address)

    def told(answer: Answer) -> None:
        complaint = answers.words(answer.err)
        said = None
        if answer.status == 0:
            said = answers.accounted(answer.out)
            if f"hsched:{engine.queue.run}:" in answer.out:  # else the id is another's by now
                said = answers.shown(answer.out)
        elif answers.is_temporary(complaint) and "disabled" not in complaint:
            engine.failed(complaint)
            return
        if said is None and len(rest) > 1:
            inquire(engine, job_id, rest[1:])
        else:
            _judge(engine, job_id, remote, said)

    engine.ask(rest[0], told)
    return True


def _witnesses(address: str) -> list[list[str]]:
    return [
        ["sacct", "--noheader", "--parsable2", "--allocations", f"--jobs={address}",
         "--format=State,ExitCode"],
        ["scontrol", "show", "job", "--oneliner", address],
    ]  # fmt: skip


def _judge(engine: SlurmEngine, job_id: JobId, remote: Remote, said: Told | None) -> None:
    """End a forgotten job as far as anybody knows how it ended."""
    job = engine.broker.scheduler.find(job_id)
    if job is None or not remote.forgotten:
        return
    if said is not None and states.phase(said.state) is not Phase.ENDED:
        return  # it is there after all; the next look shows it
    began = engine.files.is_claimed(job_id, job.attempt)
    if said is not None:
        remote.state, remote.reason = said.state, said.reason
    elif remote.replaced and not began:
        remote.state = "CANCELLED"
    else:
        _lose(engine, job, remote)
        return
    if said is not None and began and job.started is None:
        started(engine, job, remote)
    current = engine.broker.scheduler.find(job_id)
    if current is not None and current.started is not None and said is not None:
        record = engine.files.record(job_id, current.attempt)
        _end(engine, current, states.outcome(said, None, engine.files.log), record)
    advance(engine, job_id)


def _lose(engine: SlurmEngine, job: Job, remote: Remote) -> None:
    why = Outcome(OutcomeKind.LOST, reason=f"Slurm has forgotten its job {remote.address}")
    remote.state = "CANCELLED"
    if job.state is State.STOPPING:
        gone(engine, job)
    elif job.state is State.PENDING and not engine.files.is_claimed(job.id, job.attempt):
        engine.broker.apply(GivenUp(job.id, why))
    else:
        if job.started is None:
            started(engine, job, remote)
        current = engine.broker.scheduler.find(job.id)
        if current is not None:
            _end(engine, current, why, None)
    del engine.jobs[job.id]
