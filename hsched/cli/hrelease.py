"""``hrelease``: let held jobs start again."""

from __future__ import annotations

from typing import Any

import click

from hsched.cli.choice import choice_options, chosen
from hsched.cli.common import Command, run, scheduler_option
from hsched.client import Client


@click.command(
    "hrelease", cls=Command, examples=("hrelease 7", "hrelease 3-10 train", "hrelease --all")
)
@choice_options
@scheduler_option
def command(scheduler: str | None, **options: Any) -> None:
    """Let held jobs start again.

    JOB is an id, a range such as 3-10, last, or a name. A job that asks for more than there
    is now stays held, and says so.
    """
    choice = chosen(options)
    with Client(scheduler) as client:
        client.release(**choice)


def main() -> None:
    """Be the program."""
    run(command)
