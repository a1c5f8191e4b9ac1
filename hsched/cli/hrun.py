"""``hrun``: wait for slots, then run a command here, as if it had been typed alone."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
from typing import TYPE_CHECKING, Any

import click

from hsched import paths
from hsched.cli import exits, submission, times, words
from hsched.cli.common import Failure, run, scheduler_option
from hsched.client.child import Child
from hsched.errors import HschedError, Refused, WrongUsage
from hsched.wire.message import raw
from hsched.wire.submit import JobSpec
from hsched.wire.subscribe import Change

if TYPE_CHECKING:
    from hsched.client.foreground import Foreground
    from hsched.client.leases import Outer
    from hsched.client.relay import Ended
    from hsched.wire.run import FinishReply, TurnReply

_TIMEOUT_S = 60.0

#: What means nothing for a command that runs on the slots of a job around it.
_OF_THE_QUEUE = {
    "dependencies": "dep",
    "hold": "hold",
    "begin_at": "begin",
    "time_limit": "time",
    "min_devices": "min-devices",
    "device_memory": "memory-per-device",
    "device_share": "memory-per-device",
}


@click.command(
    "hrun",
    cls=submission.Submit,
    options_metavar="[OPTIONS]",
    examples=(
        "hrun 2,1 python train.py",
        "hrun 1 -c 'cat *.log >all'",
        "hrun --time 10m 0,1 ./evaluate && echo passed",
        "hrun --memory-per-device 8G 1 python notebook.py",
        "make -j64 SHELL=hrun .SHELLFLAGS='1 -c'",
    ),
)
@click.argument("slots", metavar="SLOTS")
@click.argument("line", nargs=-1, metavar="[OPTIONS] [--] COMMAND [ARG]...")
@submission.DEPENDENCIES
@submission.ENVIRONMENT
@submission.SHELL
@submission.priority()
@submission.HOLD
@submission.BEGIN
@submission.TIME
@submission.WARN
@submission.JOB_NAME
@submission.LABEL
@submission.GRACE
@submission.LEAVE_CHILDREN
@submission.JOBSERVER
@submission.min_devices()
@submission.MEMORY_PER_DEVICE
@submission.ENGINE_OPTION
@scheduler_option
def command(
    scheduler: str | None,
    slots: str,
    line: tuple[str, ...],
    shell: str | None,
    warn: times.Ahead | None,
    memory: tuple[int, float] | None,
    **given: Any,
) -> int:
    """Wait until SLOTS are free, then run COMMAND here, and return its exit status.

    COMMAND is a child of hrun, with its terminal, files, folder and environment, and signals
    reach it as if hrun were not there. SLOTS and COMMAND are as those of hsubmit. Inside a
    job of the same scheduler COMMAND runs on slots of that job, and can ask for no more.
    """
    argv, shell = words.argv_or_line(line, shell)
    given |= submission.warning_fields(warn, given["time_limit"])
    given |= submission.memory_fields(memory)
    spec = JobSpec(slots=slots, argv=argv, shell=shell, kind="foreground", **given)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # while it waits nothing has to be undone
    try:
        place = paths.place(scheduler or paths.default_name())
        outer = _outer(place)
        return _run_in_queue(place, spec) if outer is None else _run_within(outer, spec)
    except WrongUsage:
        raise
    except HschedError as error:
        raise Failure("hrun", str(error), exits.NOT_DONE) from error


def _outer(place: paths.Place) -> Outer | None:
    """Return the job around us, if it is one of the same scheduler."""
    if os.environ.get("HSCHED_NAME") != place.name or "HSCHED_JOB_ID" not in os.environ:
        return None
    from hsched.client.leases import find_outer  # only inside of jobs

    return find_outer(place)


def _words(spec: JobSpec) -> list[bytes]:
    """Return the argv of the command."""
    if spec.shell is not None:
        return [b"/bin/sh", b"-c", b"--", raw(spec.shell)]
    return [raw(word) for word in spec.argv]


# In the queue


def _run_in_queue(place: paths.Place, spec: JobSpec) -> int:
    child = Child(_words(spec), _prepare)  # before all that takes its time
    from hsched.client.foreground import Foreground

    job = Foreground(place, _TIMEOUT_S)
    try:
        job.queue(spec, child.pid, _run_of_dependencies(place))
        turn = job.wait_for_turn()
    except BaseException:
        child.give_up()
        raise
    if not turn.go:
        child.give_up()
        return _tell(spec, Change(number=0, id=job.id, state="done", **_how(turn)))
    return _run_child(job, spec, child, turn)


def _run_of_dependencies(place: paths.Place) -> str | None:
    """Return the run that our ids are of, where we are part of it."""
    same = os.environ.get("HSCHED_NAME") == place.name
    return os.environ.get("HSCHED_RUN_ID") if same else None


#: What the child is told between the variables of the command, which gets none of it.
_AFFINITY, _JOBSERVER, _FOLDER = "HSCHED_AFFINITY", "HSCHED_JOBSERVER", "HSCHED_FOLDER"
_SRUN = "HSCHED_SRUN"

#: What srun, like a shell, makes of a signal: an exit status above this number.
_SIGNAL_STATUS = 128

#: What srun runs: so a command that is not there is told as a shell tells it.
_BY_A_SHELL = (b"/bin/sh", b"-c", b'exec "$@"', b"hrun")


def _prepare(argv: list[bytes], environment: dict[bytes, bytes]) -> None:
    """Do in the child what was told; it must be quick, for others wait with slots of theirs."""
    cores = environment.pop(_AFFINITY.encode(), b"")
    slots = environment.pop(_JOBSERVER.encode(), b"")
    folder = environment.pop(_FOLDER.encode(), b"")
    if cores:
        with contextlib.suppress(OSError, ValueError):  # as far as they exist
            os.sched_setaffinity(0, words.cores(cores.decode()))
    if slots:
        from hsched.native.pyshim.jobserver import has_one, set_up

        if not has_one(environment):
            set_up(environment, int(slots), folder, argv[0])
    if srun := environment.pop(_SRUN.encode(), b""):
        for name in list(environment):
            if name.startswith(b"SLURM") and name not in (b"SLURM_CONF", b"SLURM_EXIT_ERROR"):
                del environment[name]  # an allocation around us is not that of the command
        argv[:0] = [*srun.split(b"\n"), *_BY_A_SHELL]


def _run_child(job: Foreground, spec: JobSpec, child: Child, turn: TurnReply) -> int:
    from hsched.client.relay import Relay

    srun = None if turn.srun is None else "\n".join([*turn.srun, *_streams()])
    if srun and shutil.which("srun") is None:
        child.give_up()
        job.not_started(errno.ENOENT)
        raise Refused("no `srun` on PATH, by which commands run here on a Slurm cluster")
    relay = Relay(child.pid, spec.grace, spec.leave_children)
    told = {_AFFINITY: turn.affinity, _JOBSERVER: turn.jobserver, _FOLDER: turn.folder}
    told[_SRUN] = srun
    variables = {name: str(value) for name, value in told.items() if value is not None}
    error = child.go({**variables, **(turn.variables or {})}, turn.unless_set)
    ended = relay.hold()
    if srun:
        ended = _as_srun_means(ended, "--pty" in srun.split("\n"))
    try:
        reply = job.not_started(error) if error else job.finish(ended)
    except HschedError as failure:
        click.echo(f"hrun: the end of job {job.id} could not be told: {failure}", err=True)
        return _end(spec, ended, error, job.id, None)
    return _end(spec, ended, error, job.id, reply)


def _streams() -> list[str]:
    """Return how srun is to treat our streams: a terminal as one, and none that is not ours now."""
    if not os.isatty(0):
        return []
    if os.tcgetpgrp(0) != os.getpgrp():
        return ["--input=none"]  # it reads ahead, and would be stopped for that
    return ["--pty"] if os.isatty(1) and os.isatty(2) else []


def _as_srun_means(ended: Ended, on_terminal: bool) -> Ended:
    """Return how the command ended: srun tells a signal as a shell does.

    On a terminal it passes keys on, so that those which end the command did not reach us.
    """
    number = (ended.exit_status or 0) - _SIGNAL_STATUS
    if not 0 < number <= 64:
        return ended
    received = ended.received | ({number} & {signal.SIGINT} if on_terminal else set())
    return ended._replace(exit_status=None, signal=number, received=received)


def _how(reply: Any) -> dict[str, Any]:
    return {"outcome": reply.outcome, "reason": reply.reason}


def _end(spec: JobSpec, ended: Ended, error: int, identity: str, reply: FinishReply | None) -> int:
    """Say what must be said, and return the exit status, or die as the command did."""
    change = Change(
        number=0,
        id=identity,
        state="done",
        exit_status=ended.exit_status,
        signal=ended.signal,
        errno=error or None,
        **(_how(reply) if reply is not None else {"outcome": _outcome(ended, error)}),
    )
    if change.outcome == "signalled" and ended.signal in ended.received:
        from hsched.client.relay import die_of

        die_of(ended.signal)
    return _tell(spec, change)


def _outcome(ended: Ended, error: int) -> str:
    if error:
        return "spawn failed"
    if ended.signal is not None:
        return "signalled"
    return "failed" if ended.exit_status else "succeeded"


def _tell(spec: JobSpec, change: Change) -> int:
    """Return the exit status; why it is none of the command's own is said on stderr."""
    if change.outcome == "spawn failed":
        name = spec.argv[0] if spec.shell is None else "/bin/sh"
        click.echo(f"hrun: cannot start {name}: {os.strerror(change.errno or 0)}", err=True)
    elif change.outcome not in ("succeeded", "failed", "signalled"):
        why = f" ({change.reason})" if change.reason else ""
        click.echo(f"hrun: job {change.id}: {change.outcome}{why}", err=True)
    return exits.status(change)


# Inside a job


def _run_within(outer: Outer, spec: JobSpec) -> int:
    """Run on slots of the job around us: no broker, and no id of its own."""
    from hsched.client import leases
    from hsched.client.relay import Relay

    if given := [option for field, option in _OF_THE_QUEUE.items() if getattr(spec, field)]:
        raise WrongUsage(
            f"--{given[0]} means nothing inside job {outer.job_id}: hrun runs on the slots of that "
            "job; hsubmit queues a job of its own"
        )
    lease = leases.take(outer, leases.amounts_of(spec.slots, outer))
    child = Child(_words(spec), _die_with_parent)
    relay = Relay(child.pid, spec.grace, spec.leave_children)
    error = child.go({**lease.variables(), **(spec.environment or {})})
    ended = relay.hold()
    lease.give_back()
    return _end(spec, ended, error, outer.job_id, None)


def _die_with_parent(_argv: list[bytes], _environment: dict[bytes, bytes]) -> None:
    """Have the kernel send TERM when hrun is killed: no broker watches it."""
    import ctypes

    ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)


def main() -> None:
    """Be the program."""
    run(command)
