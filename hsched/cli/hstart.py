"""``hstart``: start a scheduler, and return when it answers."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import click

from hsched import paths
from hsched.cli import logout, settings, times
from hsched.cli.common import Command, put, reads, run, scheduler_option
from hsched.cli.render import amounts
from hsched.client import Client, launch, warm
from hsched.errors import AlreadyRunning, NotRunning

_PATIENCE_S = 60.0


@click.command(
    "hstart",
    cls=Command,
    examples=(
        "hstart",
        "hstart 6,2,32",
        "hstart -n lab cores=6,gpus=2,mem=32G",
        "hstart auto --pin",
        "hstart --continue",
        "hstart --engine slurm --engine-option partition=gpu",
    ),
)
@click.argument("spec", required=False, metavar="[SPEC]")
@click.option(
    "--policy",
    type=click.Choice(["backfill", "first-fit", "fifo"]),
    metavar="POLICY",
    help="Which pending jobs start: backfill (the default) lets no job wait for ever; "
    "first-fit starts whatever fits; fifo keeps the order.",
)
@click.option(
    "--overtake",
    type=click.IntRange(min=0),
    metavar="K",
    help="How many jobs may start past one that does not fit, before slots are collected "
    "for it; by default 10.",
)
@click.option(
    "--keep-env",
    metavar="DURATION",
    callback=reads(times.duration),
    help="How long the environment of a job is kept once it is done; by default 7d.",
)
@click.option(
    "--cgroup",
    is_flag=True,
    help="Give each job a cgroup, where cgroup v2 is writable: nothing escapes a kill, and the "
    "peak memory is that of the whole tree. Starting a job takes about half a millisecond longer.",
)
@click.option(
    "--pin",
    is_flag=True,
    help="Let a job run on the processors alone whose slots of `cores` it holds, neighbours "
    "where it can, and tell it their number in OMP_NUM_THREADS and its like.",
)
@click.option(
    "--ignore-outsiders",
    is_flag=True,
    help="Give out GPUs whatever processes use of them that are no jobs.",
)
@click.option(
    "--jobserver",
    is_flag=True,
    help="Let make share the slots of each job, as `hsubmit --jobserver` does for one.",
)
@click.option(
    "--on-done",
    metavar="LINE",
    help="Run LINE after each job, as `hsubmit --on-done` does for one that says nothing else.",
)
@click.option(
    "--engine",
    type=click.Choice(settings.ENGINES),
    metavar="ENGINE",
    help="What runs the jobs: local, this machine, or slurm, a Slurm cluster; SPEC is then what "
    "one job can ask for at the most. By default HSCHED_ENGINE, or what settings.yaml says, or "
    "local.",
)
@click.option(
    "--engine-option",
    "engine_options",
    multiple=True,
    metavar="NAME=VALUE",
    help="An option for each sbatch, such as partition=gpu; repeatable. nice=N makes room for "
    "priorities above 0, and poll=SECONDS is the shortest time between two looks at the queue.",
)
@click.option(
    "--restart",
    is_flag=True,
    help="Replace a live broker by the installed version; its jobs run on.",
)
@click.option(
    "--salvage",
    is_flag=True,
    help="Make a new store of all that can be read of a damaged one, which is kept; "
    "broker.log says what came of it.",
)
@click.option(
    "--continue",
    "resume",
    is_flag=True,
    help="Go on with the run that was drained, or that a crash cut short, and its pending jobs.",
)
@click.option("--foreground", is_flag=True, help="Stay in the foreground, for service managers.")
@scheduler_option
def command(
    scheduler: str | None,
    spec: str | None,
    restart: bool,
    foreground: bool,
    engine: str | None,
    engine_options: tuple[str, ...],
    **given: Any,
) -> None:
    """Start a scheduler with the slots that SPEC lists, such as 6,2,32.

    Each number is how many there are of one resource: cores, GPUs, GiB of memory, and
    others. Without SPEC there is one resource, with a slot for each core; SPEC auto stands
    for the cores, GPUs and memory of this machine.
    """
    place = paths.place(scheduler or paths.default_name())
    engine, words = settings.engine(engine, engine_options)
    arguments = _arguments({"spec": spec, "engine": engine, **given})
    arguments += [f"--engine-option={word}" for word in words]
    if restart:
        launch.restart(place, time.monotonic() + _PATIENCE_S)
        put([f"restarted {place.name} scheduler"])
        return
    if foreground:
        _become(place, arguments)
    try:
        launch.launch(place, arguments, time.monotonic() + _PATIENCE_S)
    except AlreadyRunning as error:
        warm.start()  # it may have been killed, or gone with an upgrade
        raise _already(place, spec, engine == "slurm") from error
    _warn(logout.danger())
    with Client(place.name) as client:
        slots = client.slots()
        if engine != "slurm" and any(one.name == "gpus" and one.total for one in slots):
            _warn(client.devices().warning)
        put([f"started {place.name} scheduler with nslots = {amounts(slots)}"])


def _warn(warning: str) -> None:
    if warning:
        click.echo(f"hstart: warning: {warning}", err=True)


def _arguments(said: dict[str, Any]) -> list[str]:
    """Return what was said as options of the broker's process."""
    given = {name.replace("_", "-"): value for name, value in said.items() if value is not None}
    flags = [f"--{name}" for name, value in given.items() if value is True]
    valued = {name: value for name, value in given.items() if not isinstance(value, bool)}
    return flags + [f"--{name}={value}" for name, value in valued.items()]


def _already(place: paths.Place, spec: str | None, elsewhere: bool) -> AlreadyRunning:
    from hsched.core.spec import parse_spec  # slow to import, and needed here alone
    from hsched.devices.ask import read_once
    from hsched.devices.machine import AUTO, auto_spec

    if spec == AUTO and not elsewhere:
        spec = auto_spec(read_once())
    asked = parse_spec(str(len(os.sched_getaffinity(0))) if spec in (None, AUTO) else str(spec))
    try:
        with Client(place.name) as client:
            found = client.slots()
    except NotRunning:
        # Two starts at once: the other one has won, and is not ready to answer.
        return AlreadyRunning(f"scheduler {place.name} is already running, or about to")
    if spec in (None, AUTO) and elsewhere:
        asked = ()
    same = [(r.name, r.capacity) for r in asked] == [(r.name, r.total) for r in found]
    return AlreadyRunning(
        f"scheduler {place.name} is already running and the number of slots is "
        f"{'the same' if same else 'NOT the same'} ({amounts(found)}); "
        "use it as it is, or end it with `hstop` first, or give a new one a name with -n"
    )


def _become(place: paths.Place, arguments: list[str]) -> None:
    """Replace this process by the broker."""
    launch.make_private_folder(place.folder)
    warm.start(os.getpid())
    os.chdir(place.folder)  # `python -m` looks for modules in the working directory
    broker = [sys.executable, "-m", "hsched.broker", place.name, "--foreground", *arguments]
    os.execv(broker[0], broker)


def main() -> None:
    """Be the program."""
    run(command)
