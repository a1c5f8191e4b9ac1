"""``hsched cancel``: keep waiting tasks from starting."""

from __future__ import annotations

import click

from hsched.cli.common import Command
from hsched.cli.tasks.common import called, note, pick, scheduler_option, some, task_words
from hsched.client import Client
from hsched.errors import Refused


@click.command(
    "hsched cancel",
    cls=Command,
    examples=("hsched cancel train", "hsched cancel 'lr-0.*'", "hsched cancel --all"),
)
@task_words
@scheduler_option
def command(scheduler: str | None, words: tuple[str, ...], everything: bool) -> None:
    """Keep waiting tasks from starting, until `hsched resume`; others go on past them.

    TASK is a name, a group, a regular expression for whole names, or an id. A task that
    runs is left alone: `hsched kill` ends it.
    """
    with Client(scheduler) as client:
        tasks = pick(client, words, everything)
        waiting = [job for job in tasks if job.state == "pending"]
        running = [called(job) for job in tasks if job.state != "pending"]
        if not waiting:
            raise Refused(f"{some(running)}: running already; `hsched kill` ends what runs")
        client.hold([job.id for job in waiting])
        if running:
            note("hsched cancel", f"{some(running)}: running already, and left alone")
