"""``hstop``: end schedulers."""

from __future__ import annotations

import click

from hsched import paths
from hsched.cli.common import Command, complain, put, reads, run
from hsched.cli.words import seconds
from hsched.client import Client
from hsched.errors import HschedError, NotRunning, WrongUsage


@click.command("hstop", cls=Command, examples=("hstop", "hstop --force --name gpu"))
@click.option(
    "-n",
    "--name",
    "names",
    multiple=True,
    metavar="NAME",
    help="Stop the scheduler NAME; repeatable. By default HSCHED_NAME, or `default`.",
)
@click.option("-a", "--all", "everything", is_flag=True, help="Stop all that run.")
@click.option("-f", "--force", is_flag=True, help="End the jobs that are left, then stop.")
@click.option(
    "--grace",
    metavar="SECONDS",
    callback=reads(seconds),
    help="With --force: time between TERM and KILL, in place of what each job has.",
)
def command(names: tuple[str, ...], everything: bool, force: bool, grace: float | None) -> int:
    """Stop a scheduler, and return when it is gone; logs and history stay.

    Refused while jobs are queued or running, unless --force is given.
    """
    if everything and names:
        raise WrongUsage("give either --name or --all, not both")
    status = 0
    for name in names or (paths.names() if everything else [paths.default_name()]):
        try:
            with Client(name) as client:
                folder = client.stop(force=force, grace=grace)
            put([f"stopped {name} scheduler; its logs are in {folder}"])
        except NotRunning as error:
            status = max(status, 0 if everything else complain("hstop", error))
        except HschedError as error:
            status = max(status, complain("hstop", error))
    return status


def main() -> None:
    """Be the program."""
    run(command)
