"""``hsuspend``: stop running jobs for a while."""

from __future__ import annotations

from typing import Any

import click

from hsched.cli.choice import choice_options, chosen
from hsched.cli.common import Command, run, scheduler_option
from hsched.client import Client


@click.command("hsuspend", cls=Command, examples=("hsuspend 7", "hsuspend --label night"))
@choice_options
@scheduler_option
def command(scheduler: str | None, **options: Any) -> None:
    """Stop running jobs for a while; they keep their slots.

    JOB is an id, a range such as 3-10, last, or a name. Every process of the job gets STOP.
    Its time limit goes on.
    """
    choice = chosen(options)
    with Client(scheduler) as client:
        client.suspend(**choice)


def main() -> None:
    """Be the program."""
    run(command)
