"""``hsched exit``: end all tasks and the scheduler."""

from __future__ import annotations

import click

from hsched.cli.common import Command, put
from hsched.cli.tasks.common import scheduler_option
from hsched.client import Client


@click.command("hsched exit", cls=Command, examples=("hsched exit", "hsched exit --force"))
@click.option("-f", "--force", is_flag=True, help="Send KILL at once, without TERM and grace.")
@scheduler_option
def command(scheduler: str | None, force: bool) -> None:
    """End all tasks and jobs with everything they have started, and then the scheduler.

    They get TERM, and KILL when their grace is over. Those that wait are cancelled. Logs
    and history stay.
    """
    with Client(scheduler) as client:
        folder = client.stop(force=True, grace=0.0 if force else None)
        put([f"stopped {client.name} scheduler; its logs are in {folder}"])
