"""What is said to Slurm about a job that it has: cancel, hold, release, withdraw, signal."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

from hsched.broker import clock
from hsched.broker.slurm.commands import Answer
from hsched.broker.slurm.journal import Remote, is_changed, terms
from hsched.core.job import Job
from hsched.core.model import JobId, format_job_id
from hsched.slurm import answers
from hsched.slurm.states import Phase

if TYPE_CHECKING:
    from hsched.broker.slurm.engine import SlurmEngine

log = logging.getLogger("hsched")

#: The shim passes signal n on to its job's tree when it gets 33 + n.
_PASS_ON = 33

#: A requeued job that would wait for longer is told to start soon, in seconds; and again
#: after so long where that had no effect.
_LATE_S = 5.0
_TERM, _KILL = 15, 9


def cancel(engine: SlurmEngine, job_id: JobId, remote: Remote) -> bool:
    """Have Slurm end a job, once; return whether it was told now.

    One that waits is taken from the queue alone: should it have been started meanwhile,
    its shim ends it, with the grace that it has.
    """
    if remote.cancelled or remote.phase is Phase.ENDED:
        return False
    remote.cancelled = True
    waits = ["--state=PENDING"] if remote.state == "PENDING" else []

    def told(answer: Answer) -> None:
        if is_done(engine, answer):
            engine.look_next()
        else:
            remote.cancelled = False
            engine.touch(job_id)

    engine.ask(["scancel", *waits, remote.address], told)
    return True


def cancel_stray(engine: SlurmEngine, address: str, job_id: JobId) -> None:
    """Have Slurm end a job that nobody wants, or that it has twice."""
    log.warning("slurm job %s, of job %s, is one too many", address, format_job_id(job_id))
    engine.ask(["scancel", address], lambda answer: engine.look_soon())


def adjust(engine: SlurmEngine, job: Job, remote: Remote) -> bool:
    """Have Slurm's queue agree with a pending job; return whether something was said."""
    if remote.phase is not Phase.WAITING or remote.cancelled:
        return False
    if remote.replaced or is_changed(remote.terms, terms(job)):
        return _withdraw(engine, job.id, remote)
    held = job.held or engine.broker.draining
    if held != remote.held:
        return _hold(engine, job.id, remote, held)
    if job.attempt > remote.first and not held and _is_late(remote):
        return _hurry(engine, remote)
    return False


def send_signal(engine: SlurmEngine, job_id: JobId, number: int) -> bool:
    """Send a signal to a running job; return whether a command was given."""
    remote = engine.jobs.get(job_id)
    if remote is None or remote.phase is Phase.ENDED:
        return False
    wanted = _TERM if number == _TERM else _PASS_ON + number

    def told(answer: Answer) -> None:
        if not is_done(engine, answer):
            engine.signal(job_id, number)
        elif number == _KILL:
            # Where not even the shim can end the job, Slurm does.
            engine.ask(["scancel", remote.address], lambda _: None)

    engine.ask(["scancel", "--batch", f"--signal={wanted}", remote.address], told)
    return True


def _withdraw(engine: SlurmEngine, job_id: JobId, remote: Remote) -> bool:
    """Take a job out of the queue unless it runs; it is submitted anew when it is gone."""
    remote.replaced = remote.cancelled = True
    engine.journal.withdrawn(job_id)

    def told(answer: Answer) -> None:
        if not is_done(engine, answer):
            remote.cancelled = False
            engine.touch(job_id)

    engine.ask(["scancel", "--state=PENDING", remote.address], told)
    return True


def _hold(engine: SlurmEngine, job_id: JobId, remote: Remote, held: bool) -> bool:
    before, remote.held = remote.held, held

    def told(answer: Answer) -> None:
        if is_done(engine, answer):
            engine.look_next()  # Slurm also holds, for later, what runs by now
        else:
            remote.held = before
            engine.touch(job_id)

    engine.ask(["scontrol", "uhold" if held else "release", remote.address], told)
    return True


def _is_late(remote: Remote) -> bool:
    if remote.reason != "BeginTime" or remote.started_at is None:
        return False
    was_told = clock.monotonic() - remote.hurried_at < _LATE_S
    return remote.started_at - clock.wall() > _LATE_S and not was_told


def _hurry(engine: SlurmEngine, remote: Remote) -> bool:
    """Let a requeued job start soon: Slurm would wait for two minutes.

    Not at once: nodes take the credential of a second start for that of the first, and
    refuse it, where both starts are of the same second.
    """
    remote.hurried_at = clock.monotonic()

    def told(answer: Answer) -> None:
        if not is_done(engine, answer):
            remote.hurried_at = -math.inf
        elif answer.status != 0:
            remote.hurried_at = math.inf  # it may not: then Slurm's pause it is

    argv = ["scontrol", "update", f"JobId={remote.address}", "StartTime=now+1"]
    engine.ask(argv, told)
    return True


def is_done(engine: SlurmEngine, answer: Answer) -> bool:
    """Whether Slurm took note; what it does not want, it does not want for good."""
    engine.look_soon()
    if answer.status == 0:
        return True
    complaint = answers.words(answer.err)
    if answer.status is None or answers.is_temporary(complaint):
        engine.failed(complaint)
        return False
    log.info("Slurm: %s", complaint)
    engine.need_look()
    return True
