"""``hrerun``: submit jobs again that are done."""

from __future__ import annotations

from typing import Any

import click

from hsched.cli.choice import group_options, words_of
from hsched.cli.common import Command, put, run, scheduler_option
from hsched.client import Client
from hsched.errors import WrongUsage


@click.command(
    "hrerun",
    cls=Command,
    examples=("hrerun 7", "hrerun last~2 --label night", "hrerun --failed"),
)
@click.argument("words", nargs=-1, metavar="[JOB]...")
@click.option(
    "--failed",
    is_flag=True,
    help="All jobs of this run that did not succeed, and were not submitted again before.",
)
@group_options
@scheduler_option
def command(scheduler: str | None, failed: bool, **options: Any) -> None:
    """Submit jobs again that are done, and print the new ids.

    JOB is an id, a range such as 3-10, last, or a name. Slots, options, folder and
    environment are those of the old job. One that waited for a job which is submitted
    again as well waits for the new one.
    """
    words = words_of(options)
    if bool(words) == failed:
        raise WrongUsage("say which jobs: ids, names, --job-name, --label, or --failed")
    with Client(scheduler) as client:
        put([job.id for job in client.rerun(words, failed=failed)])


def main() -> None:
    """Be the program."""
    run(command)
