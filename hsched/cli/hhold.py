"""``hhold``: keep pending jobs from starting."""

from __future__ import annotations

from typing import Any

import click

from hsched.cli.choice import choice_options, chosen
from hsched.cli.common import Command, run, scheduler_option
from hsched.client import Client


@click.command("hhold", cls=Command, examples=("hhold 7", "hhold --label night", "hhold --all"))
@choice_options
@scheduler_option
def command(scheduler: str | None, **options: Any) -> None:
    """Keep pending jobs from starting until `hrelease`.

    JOB is an id, a range such as 3-10, last, or a name. A job that is not pending is an
    error; where a word means several, those that are pending are held.
    """
    choice = chosen(options)
    with Client(scheduler) as client:
        client.hold(**choice)


def main() -> None:
    """Be the program."""
    run(command)
