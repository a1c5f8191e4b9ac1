"""``hresume``: let suspended jobs continue."""

from __future__ import annotations

from typing import Any

import click

from hsched.cli.choice import choice_options, chosen
from hsched.cli.common import Command, run, scheduler_option
from hsched.client import Client


@click.command("hresume", cls=Command, examples=("hresume 7", "hresume --all"))
@choice_options
@scheduler_option
def command(scheduler: str | None, **options: Any) -> None:
    """Let suspended jobs continue.

    JOB is an id, a range such as 3-10, last, or a name. Every process of the job gets CONT.
    """
    choice = chosen(options)
    with Client(scheduler) as client:
        client.resume(**choice)


def main() -> None:
    """Be the program."""
    run(command)
