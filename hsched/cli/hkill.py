"""``hkill``: end jobs, or send them a signal."""

from __future__ import annotations

from typing import Any

import click

from hsched.cli.choice import choice_options, chosen
from hsched.cli.common import Command, run, scheduler_option
from hsched.cli.killing import kill_options, signal_to_send
from hsched.client import Client


@click.command(
    "hkill",
    cls=Command,
    examples=("hkill 7", "hkill 3-10 train", "hkill --signal USR1 7", "hkill --state pending"),
)
@choice_options
@kill_options(
    grace_by_default="what the job was submitted with",
    force="Accepted from older scripts; no job needs it to be ended.",
)
@scheduler_option
def command(
    scheduler: str | None, kill: bool, signal: int | None, grace: float | None, **options: Any
) -> None:
    """End jobs, and return when they and all they started are gone.

    JOB is an id, a range such as 3-10, last, or a name. Pending jobs leave the queue. Running
    ones get TERM, and KILL when the grace is over.
    """
    number = signal_to_send(kill, signal)
    choice = chosen(options)
    with Client(scheduler) as client:
        client.kill(**choice, signal=number, grace=grace)


def main() -> None:
    """Be the program."""
    run(command)
