"""What is said to Slurm about a job that it has: cancel, hold, release, withdraw, signal."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

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
_TERM, _KILL = 15, 9


def cancel(engine: SlurmEngine, job_id: JobId, remote: Remote) -> bool:
    """Have Slurm end a job, once; return whether it was told now."""
    if remote.cancelled or remote.phase is Phase.ENDED:
        return False
    remote.cancelled = True

    def told(answer: Answer) -> None:
        if not _is_done(engine, answer):
            remote.cancelled = False
            engine.touch(job_id)

    engine.ask(["scancel", remote.address], told)
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
    is_late = remote.hurried < job.attempt and job.attempt > remote.first
    if is_late and remote.reason == "BeginTime" and not held:
        return _hurry(engine, job, remote)
    return False


def send_signal(engine: SlurmEngine, job_id: JobId, number: int) -> bool:
    """Send a signal to a running job; return whether a command was given."""
    remote = engine.jobs.get(job_id)
    if remote is None or remote.phase is Phase.ENDED:
        return False
    wanted = _TERM if number == _TERM else _PASS_ON + number

    def told(answer: Answer) -> None:
        if not _is_done(engine, answer):
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
        if not _is_done(engine, answer):
            remote.cancelled = False
            engine.touch(job_id)

    engine.ask(["scancel", "--state=PENDING", remote.address], told)
    return True


def _hold(engine: SlurmEngine, job_id: JobId, remote: Remote, held: bool) -> bool:
    before, remote.held = remote.held, held

    def told(answer: Answer) -> None:
        if not _is_done(engine, answer):
            remote.held = before
            engine.touch(job_id)

    engine.ask(["scontrol", "uhold" if held else "release", remote.address], told)
    return True


def _hurry(engine: SlurmEngine, job: Job, remote: Remote) -> bool:
    """Let a requeued job start at once: Slurm would wait for two minutes."""
    remote.hurried = job.attempt
    argv = ["scontrol", "update", f"JobId={remote.address}", "StartTime=now"]
    engine.ask(argv, lambda answer: engine.look_soon())
    return True


def _is_done(engine: SlurmEngine, answer: Answer) -> bool:
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
