"""``hsched gpus``: the GPUs of this machine, what is left of them, and who uses them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from hsched import paths
from hsched.cli.common import Command, json_option, put, run, scheduler_option
from hsched.cli.fields.gpus import COLUMNS
from hsched.cli.gpu_rows import gpu_rows, roots_of, trouble_of
from hsched.cli.listing import Look, listing_options, show, take_look
from hsched.client import Client
from hsched.devices.ask import read_once
from hsched.errors import HschedError, NotRunning, WrongUsage

if TYPE_CHECKING:
    from hsched.wire.devices import DevicesReply

_NONE = "no GPUs found"

#: How often NVML is asked while one watches, in seconds.
_INTERVAL_S = 2.0


@click.command(
    "hsched gpus",
    cls=Command,
    examples=(
        "hsched gpus",
        "hsched gpus --json",
        "hsched gpus -o gpu,free,jobs,who --sort -free",
        "hsched gpus --watch --interval 5",
    ),
)
@listing_options("gpus", "gpu,free,who", "free")
@click.option(
    "--interval",
    type=click.FloatRange(min=0.1),
    metavar="SECONDS",
    help=f"With --watch: ask NVML so often; {_INTERVAL_S:g} s unless given. What jobs claim is "
    "told by the scheduler at once.",
)
@json_option
@scheduler_option
def command(scheduler: str | None, interval: float | None, **asked: Any) -> None:
    """List the GPUs: memory in MiB, what jobs claim of it, and who uses it.

    WHO names each process as JOB:COMMAND/PID(MiB), or USER:COMMAND/PID(MiB) where it is no
    job's, and jobs that hold the GPU as JOB. Without a scheduler nothing is claimed.
    """
    look = take_look(asked, "`hsched gpus --json` lists them once")
    if interval is not None and not look.is_watched:
        raise WrongUsage("--interval says how often --watch looks; give both")
    if look.is_watched:
        _watch(scheduler, interval or _INTERVAL_S, look)
        return
    known = _known(scheduler)
    reading = read_once(roots_of(known))
    if trouble := trouble_of(reading):
        raise HschedError(trouble)
    found = COLUMNS.in_order(gpu_rows(known, reading), look.order)
    if look.how == "json":
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        put([json.dumps({"hostname": paths.host(), "query_time": now, "gpus": found})])
    else:
        show(COLUMNS, found, look.fields, _NONE)


def _known(scheduler: str | None) -> DevicesReply | None:
    """Return what the scheduler knows; None where none runs and none was named."""
    try:
        with Client(scheduler) as client:
            return client.devices()
    except NotRunning:
        if scheduler is not None:
            raise
        return None


def _watch(scheduler: str | None, interval: float, look: Look) -> None:
    from hsched.cli.watching.gpus import Gpus  # draws, and is slow to import
    from hsched.cli.watching.loop import watch
    from hsched.cli.watching.picture import picture

    with Gpus(scheduler, interval) as gpus:

        def draw(lines: int) -> str:
            rows = COLUMNS.in_order(gpus.look(), look.order)
            troubles = [f"hsched gpus: {trouble}" for trouble in gpus.troubles]
            return picture(COLUMNS, rows, look.fields, lines, troubles) or _NONE

        watch(draw, gpus.wait)


def main() -> None:
    """Be the program."""
    run(command)
