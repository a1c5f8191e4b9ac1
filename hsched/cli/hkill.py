"""``hkill``: end jobs, or send them a signal."""

from __future__ import annotations

from typing import Any

import click

from hsched.cli.choice import choice_options, chosen
from hsched.cli.common import Command, reads, run, scheduler_option
from hsched.cli.words import seconds, signal_number
from hsched.client import Client
from hsched.errors import WrongUsage

_TERM, _KILL = 15, 9


@click.command(
    "hkill",
    cls=Command,
    examples=("hkill 7", "hkill 3-10 train", "hkill --signal USR1 7", "hkill --state pending"),
)
@choice_options
@click.option("-k", "--kill", is_flag=True, help="Send KILL at once, without TERM and grace.")
@click.option(
    "-s",
    "--signal",
    metavar="SIGNAL",
    callback=reads(signal_number),
    help="Send this signal. One other than TERM and KILL changes nothing else.",
)
@click.option(
    "--grace",
    metavar="SECONDS",
    callback=reads(seconds),
    help="Time between TERM and KILL; by default what the job was submitted with.",
)
@click.option(
    "-f",
    "--force",
    is_flag=True,
    expose_value=False,
    help="Accepted from older scripts; no job needs it to be ended.",
)
@scheduler_option
def command(
    scheduler: str | None, kill: bool, signal: int | None, grace: float | None, **options: Any
) -> None:
    """End jobs, and return when they and all they started are gone.

    JOB is an id, a range such as 3-10, last, or a name. Pending jobs leave the queue. Running
    ones get TERM, and KILL when the grace is over.
    """
    if kill and signal is not None:
        raise WrongUsage("give either --kill or --signal, not both")
    choice = chosen(options)
    with Client(scheduler) as client:
        client.kill(**choice, signal=_KILL if kill else signal or _TERM, grace=grace)


def main() -> None:
    """Be the program."""
    run(command)
