"""``hsched kill``: end tasks by name, group, regular expression or id."""

from __future__ import annotations

import click

from hsched.cli.common import Command, reads
from hsched.cli.tasks.common import pick, scheduler_option, task_words
from hsched.cli.words import seconds, signal_number
from hsched.client import Client
from hsched.errors import WrongUsage

_TERM, _KILL = 15, 9


@click.command(
    "hsched kill",
    cls=Command,
    examples=("hsched kill train", "hsched kill pipeline", "hsched kill 'lr-.*'", "hsched kill -A"),
)
@task_words
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
    help="Time between TERM and KILL; by default 5.",
)
@click.option(
    "-f",
    "--force",
    is_flag=True,
    expose_value=False,
    help="Accepted as hkill does; no task needs it to be ended.",
)
@scheduler_option
def command(
    scheduler: str | None,
    words: tuple[str, ...],
    everything: bool,
    kill: bool,
    signal: int | None,
    grace: float | None,
) -> None:
    """End tasks, and return when they and all they started are gone.

    TASK is a name, a group, a regular expression for whole names, or an id. Waiting tasks
    leave the queue. What waits for one of these tasks ends as `dependency failed`.
    """
    if kill and signal is not None:
        raise WrongUsage("give either --kill or --signal, not both")
    with Client(scheduler) as client:
        ids = [job.id for job in pick(client, words, everything)]
        client.kill(ids, signal=_KILL if kill else signal or _TERM, grace=grace)
