"""``hlog``: print what a job has written, and follow it."""

from __future__ import annotations

import sys
from typing import Any

import click

from hsched.cli.common import Command, run, scheduler_option
from hsched.client import Client


@click.command(
    "hlog",
    cls=Command,
    examples=("hlog 7", "hlog -f last", "hlog --err --last 20 7.3", "hlog --run RUN 7"),
)
@click.argument("job", metavar="JOB")
@click.option(
    "-f",
    "--follow",
    is_flag=True,
    help="Go on until the job is done; wait for its start if it is pending.",
)
@click.option("-e", "--err", is_flag=True, help="What it wrote to standard error.")
@click.option(
    "-l",
    "--last",
    type=click.IntRange(min=0),
    metavar="N",
    help="Begin with the last N lines that are there.",
)
@click.option("--run", metavar="RUN", help="A job of an older run.")
@scheduler_option
def command(scheduler: str | None, job: str, **asked: Any) -> None:
    """Print what a job has written to standard output, live or done.

    JOB is an id, an element of an array such as 7.3, last, or a name that one job has.
    """
    with Client(scheduler) as client:
        for block in client.log(job, **asked):
            sys.stdout.buffer.write(block)
            sys.stdout.buffer.flush()


def main() -> None:
    """Be the program."""
    run(command)
