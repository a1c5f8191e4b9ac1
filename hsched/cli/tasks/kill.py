"""``hsched kill``: end tasks by name, group, regular expression or id."""

from __future__ import annotations

import click

from hsched.cli.common import Command
from hsched.cli.killing import kill_options, signal_to_send
from hsched.cli.tasks.common import pick, scheduler_option, task_words
from hsched.client import Client


@click.command(
    "hsched kill",
    cls=Command,
    examples=("hsched kill train", "hsched kill pipeline", "hsched kill 'lr-.*'", "hsched kill -A"),
)
@task_words
@kill_options(grace_by_default="5", force="Accepted as hkill does; no task needs it to be ended.")
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
    number = signal_to_send(kill, signal)
    with Client(scheduler) as client:
        ids = [job.id for job in pick(client, words, everything)]
        client.kill(ids, signal=number, grace=grace)
