"""``hsched remove``: take tasks off the list."""

from __future__ import annotations

import click

from hsched.cli.common import Command
from hsched.cli.tasks.common import called, note, pick, scheduler_option, some, task_words
from hsched.client import Client
from hsched.errors import Refused


@click.command(
    "hsched remove",
    cls=Command,
    examples=("hsched remove train", "hsched remove 'lr-.*'", "hsched remove --all"),
)
@task_words
@scheduler_option
def command(scheduler: str | None, words: tuple[str, ...], everything: bool) -> None:
    """Take tasks off the list of `hsched list`; those that wait leave the queue.

    TASK is a name, a group, a regular expression for whole names, or an id. A task that
    runs is left alone. Logs stay, and so does the history that `hjobs --all` shows.
    """
    with Client(scheduler) as client:
        tasks = pick(client, words, everything, scope="all")
        running = [called(job) for job in tasks if job.state not in ("pending", "done")]
        ids = [job.id for job in tasks if job.state in ("pending", "done")]
        if not ids:
            raise Refused(f"{some(running)}: running; `hsched kill` ends it first")
        client.remove(ids)
        if running:
            note("hsched remove", f"{some(running)}: running, and left alone")
