"""``hstop``: end schedulers."""

from __future__ import annotations

import contextlib
import os
from typing import Any

import click

from hsched import paths
from hsched.cli.common import Command, complain, put, reads, run
from hsched.cli.words import seconds
from hsched.client import Client
from hsched.errors import HschedError, NotRunning, WrongUsage

#: Logs larger than this, in bytes, are worth a word.
_LARGE = 1_000_000_000


@click.command(
    "hstop", cls=Command, examples=("hstop", "hstop --force --name gpu", "hstop --drain")
)
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
    "--drain",
    is_flag=True,
    help="Start nothing more, and stop when what runs has ended; pending jobs stay for "
    "`hstart --continue`. Returns at once.",
)
@click.option(
    "--grace",
    metavar="SECONDS",
    callback=reads(seconds),
    help="With --force: time between TERM and KILL, in place of what each job has.",
)
def command(names: tuple[str, ...], everything: bool, drain: bool, **how: Any) -> int:
    """Stop a scheduler, and return when it is gone; logs and history stay.

    Refused while jobs are queued or running, unless --force or --drain is given.
    """
    if everything and names:
        raise WrongUsage("give either --name or --all, not both")
    if drain and (how["force"] or how["grace"] is not None):
        raise WrongUsage("give either --drain or --force, not both")
    status = 0
    for name in names or (paths.names() if everything else [paths.default_name()]):
        try:
            with Client(name) as client:
                put([_drain(client) if drain else _stop(client, how)])
        except NotRunning as error:
            status = max(status, 0 if everything else complain("hstop", error))
        except HschedError as error:
            status = max(status, complain("hstop", error))
    return status


def _stop(client: Client, how: dict[str, Any]) -> str:
    folder = client.stop(**how)
    size = _size(folder)
    large = f"; they are {size / 1e9:.1f} GB" if size > _LARGE else ""
    return f"stopped {client.name} scheduler; its logs are in {folder}{large}"


def _size(folder: str) -> int:
    """Return how many bytes the files in a folder hold; 0 where somebody removed it."""
    total = 0
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            is_folder = entry.is_dir(follow_symlinks=False)
            total += _size(entry.path) if is_folder else entry.stat(follow_symlinks=False).st_size
    return total


def _drain(client: Client) -> str:
    told = client.drain()
    left = f"; {told.pending} pending jobs wait for `hstart --continue`" if told.pending else ""
    if told.running:
        return (
            f"draining {client.name} scheduler; it stops when {told.running} jobs have ended{left}"
        )
    if told.asks:
        return f"draining {client.name} scheduler; it stops when Slurm holds what is pending{left}"
    return f"stopped {client.name} scheduler; its logs are in {told.folder}{left}"


def main() -> None:
    """Be the program."""
    run(command)
