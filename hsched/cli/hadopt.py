"""``hadopt``: let a process that already runs hold slots."""

from __future__ import annotations

from typing import Any

import click

from hsched.cli import times, words
from hsched.cli.common import Command, put, reads, run, scheduler_option
from hsched.client import Client


@click.command(
    "hadopt",
    cls=Command,
    examples=("hadopt 4711 2,1", "hadopt --at gpus:1 --job-name notebook 4711 0,1"),
)
@click.argument("pid", type=int, metavar="PID")
@click.argument("slots", metavar="SLOTS")
@click.option(
    "--at",
    multiple=True,
    metavar="SLOT",
    help="It uses this very slot, such as gpus:1 or cores:4-7; repeatable. The others are the "
    "lowest free ones.",
)
@click.option("--job-name", "name", metavar="NAME", help="Name the job.")
@click.option("--label", "labels", multiple=True, metavar="WORD", help="Label it; repeatable.")
@click.option(
    "--time",
    "time_limit",
    metavar="DURATION",
    callback=reads(times.limit),
    help="Longest run from now: seconds, 2h, 1:30:00 or 2-12. Then it is ended.",
)
@click.option(
    "--grace",
    metavar="SECONDS",
    default="5",
    callback=reads(words.seconds),
    help="Time between TERM and KILL when the job is ended; by default 5.",
)
@scheduler_option
def command(scheduler: str | None, pid: int, slots: str, **given: Any) -> None:
    """Let the process PID hold SLOTS until it ends, and print the id of the job it becomes.

    The slots must be free now. Others can wait for its end, and hkill ends it with all that
    descends from it. Its exit status is not known here, so it ends as lost: a job that
    waits for its end starts, one that waits for its success does not.
    """
    with Client(scheduler) as client:
        put([client.adopt(pid, slots, **given).id])


def main() -> None:
    """Be the program."""
    run(command)
