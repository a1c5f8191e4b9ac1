"""``hsched resume``: let cancelled tasks start again."""

from __future__ import annotations

import click

from hsched.cli.common import Command
from hsched.cli.tasks.common import called, pick, scheduler_option, some, task_words
from hsched.client import Client
from hsched.errors import Refused
from hsched.tasks.status import is_held


@click.command(
    "hsched resume",
    cls=Command,
    examples=("hsched resume train", "hsched resume --all"),
)
@task_words
@scheduler_option
def command(scheduler: str | None, words: tuple[str, ...], everything: bool) -> None:
    """Undo `hsched cancel`: let tasks start again when there is room.

    TASK is a name, a group, a regular expression for whole names, or an id. For processes
    that `hsuspend` has stopped there is `hsched cont`, which is hresume.
    """
    with Client(scheduler) as client:
        tasks = pick(client, words, everything)
        held = [job.id for job in tasks if is_held(job)]
        if not held:
            raise Refused(f"{some(map(called, tasks))}: not cancelled, so nothing to resume")
        client.release(held)
