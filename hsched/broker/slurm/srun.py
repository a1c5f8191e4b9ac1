"""Jobs in the foreground: their hrun runs srun, which submits them and passes their streams.

hsched waits for what it knows alone, dependencies and holds; then hrun gets its turn, and
Slurm decides when the command starts.  Until the queue shows that, the job is pending.  Its
end is told by hrun.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsched.broker import clock
from hsched.broker.ledger import Start
from hsched.broker.slurm import follow, orders, submission
from hsched.broker.slurm.commands import Answer, environment
from hsched.broker.slurm.journal import Remote
from hsched.broker.store.rows import Life
from hsched.core.devices import GPUS
from hsched.core.events import StartedElsewhere
from hsched.core.job import Job
from hsched.core.model import JobId, State
from hsched.slurm import script, table
from hsched.slurm.states import Phase
from hsched.wire.run import TurnReply
from hsched.wire.submit import JobSpec

if TYPE_CHECKING:
    from hsched.broker.slurm.engine import SlurmEngine

#: What srun ends with where it could not start the command: as hsched has it.
_NOT_STARTED = "126"

#: How long ago the controller must have answered before srun is let loose, in seconds.
_FRESH_S = 1.0

_KILL = 9


def turn(engine: SlurmEngine, job: Job, spec: JobSpec) -> TurnReply | None:
    """Return what hrun begins with, None where the job waits for something that Slurm cannot."""
    broker = engine.broker
    if job.state is not State.PENDING or job.held or job.unmet or not broker.may_start:
        return None
    if engine.trouble or clock.monotonic() - engine.looked_at > _FRESH_S:
        engine.need_look()  # srun would give up where nobody answers
        return None
    asked = submission.asked(engine, [job], spec, ())
    held = submission.relative(engine, job)
    who = broker.ledger.identity(job.id, job.attempt)
    around = broker.ledger.surroundings(spec, who, held)
    variables = {**around.own, "SLURM_EXIT_ERROR": _NOT_STARTED}
    if asked.amounts.get(GPUS) and "CUDA_VISIBLE_DEVICES" not in (spec.environment or {}):
        variables.pop("CUDA_VISIBLE_DEVICES", None)  # Slurm says which
    lease = script.lease(broker.scheduler.resources, held)
    if path := engine.files.write_lease(job.id, job.attempt, lease):
        variables["HSCHED_LEASE"] = path
    known = environment()
    return TurnReply(
        go=True,
        variables=variables,
        unless_set={name: known[name] for name in ("SLURM_CONF",) if name in known},
        srun=("srun", "--quiet", "--quit-on-interrupt", *table.srun_arguments(asked)),
    )


def reconcile(engine: SlurmEngine, job: Job, remote: Remote | None) -> bool:
    """Compare a live job; return whether a command was given for it."""
    foreground = engine.broker.foreground
    if job.state is State.PENDING and remote is not None:
        return orders.adjust(engine, job, remote)
    if job.state is State.PENDING:
        foreground.offer(job.id)
    elif job.state is State.STOPPING and job.started is None:
        if foreground.waits(job.id):
            follow.gone(engine, job)
        else:
            return _end_unstarted(engine, job, remote)
    return False


def send_signal(engine: SlurmEngine, job_id: JobId, number: int) -> bool:
    """Send a signal to the command; return whether a command was given.

    Where Slurm is not known to run it, it goes to srun, which ends itself by TERM.
    """
    remote = engine.jobs.get(job_id)
    if remote is None or remote.phase is not Phase.RUNNING:
        if job_id in engine.broker.foreground:
            engine.broker.foreground.signal(job_id, number)
        return False
    words = [] if number == _KILL else [f"--signal={number}"]

    def told(answer: Answer) -> None:
        if not orders.is_done(engine, answer):
            engine.signal(job_id, number)

    engine.ask(["scancel", *words, remote.address], told)
    return True


def had_turn(engine: SlurmEngine, job_id: JobId, turn_at: Start) -> None:
    """Note that a job runs, or did: since its turn, for all that anybody knows."""
    life = Life(State.RUNNING.value, started_at=turn_at.wall, started_clock=turn_at.clock)
    engine.broker.ledger.started(job_id, life)
    ran_s = clock.monotonic() - (turn_at.clock or 0.0)
    engine.broker.apply(StartedElsewhere(job_id, ran_s))


def follow_step(engine: SlurmEngine, job: Job, remote: Remote) -> bool:
    """Note that Slurm has started a job; return whether it was news."""
    if job.started is not None or remote.phase is not Phase.RUNNING:
        return False
    follow.started(engine, job, remote)
    return True


def _end_unstarted(engine: SlurmEngine, job: Job, remote: Remote | None) -> bool:
    """End a job that shall end and waits in Slurm, or that nobody has seen there."""
    if remote is not None and remote.phase is Phase.WAITING:
        engine.unseen.discard(job.id)
        return orders.cancel(engine, job.id, remote)
    if job.id not in engine.unseen:
        engine.unseen.add(job.id)
        engine.need_look()  # it may run by now
        return False
    engine.unseen.discard(job.id)
    engine.had_turn(job.id)  # so that srun is told to end
    return False
