"""``hsched clean``: remove the folders of old runs."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from hsched import paths
from hsched.cli import times
from hsched.cli.common import Command, put, reads
from hsched.cli.tasks.common import place_of, scheduler_option
from hsched.client import Client
from hsched.errors import HschedError, WrongUsage

if TYPE_CHECKING:
    from hsched.wire.runs import RunView


def _date(word: str) -> float:
    try:
        return times.moment(word, time.time())
    except WrongUsage:
        raise WrongUsage(f"`{word}` is no date; write 2026-11-21 or 2026-11-21T14:30") from None


@click.command(
    "hsched clean",
    cls=Command,
    examples=("hsched clean --dry-run", "hsched clean -b 2026-11-01", "hsched clean -A -v"),
)
@click.option(
    "-b",
    "--before",
    metavar="DATE",
    callback=reads(_date),
    help="Only runs that began before DATE: 2026-11-21 or 2026-11-21T14:30.",
)
@click.option(
    "-a", "--after", metavar="DATE", callback=reads(_date), help="Only runs that began after DATE."
)
@click.option(
    "-A", "--all", "everything", is_flag=True, help="Of all schedulers of this host, not of one."
)
@click.option("-v", "--verbose", is_flag=True, help="Print each folder that is removed.")
@click.option("--dry-run", is_flag=True, help="Print what would be removed, and remove nothing.")
@scheduler_option
def command(
    scheduler: str | None,
    before: float | None,
    after: float | None,
    everything: bool,
    verbose: bool,
    dry_run: bool,
) -> None:
    """Remove the folders of runs that are over, with their logs.

    Only folders that the scheduler itself has made are removed, never that of the run that
    goes on. The history of jobs stays.
    """
    if everything and scheduler is not None:
        raise WrongUsage("give either --scheduler or --all, not both")
    names = paths.names() if everything else [place_of(scheduler).name]
    folders: list[str] = []
    for name in names:
        place = paths.place(name)
        if not everything or os.path.exists(place.store):
            folders += _old_folders(place, before, after)
    for folder in folders:
        if verbose or dry_run:
            put([folder])
        if not dry_run:
            _remove(folder)
    put([f"{'would remove' if dry_run else 'removed'} {len(folders)} run folders"])


def _old_folders(place: paths.Place, before: float | None, after: float | None) -> Iterator[str]:
    """Yield the folders that are there of runs that are over."""
    with Client(place.name) as client:
        runs = client.runs()
    for run in runs:
        folder = place.run_folder(run.name)
        if _is_old(run, before, after) and is_ours(place, folder):
            yield folder


def _is_old(run: RunView, before: float | None, after: float | None) -> bool:
    if run.ended_at is None:
        return False
    is_before = before is None or run.started_at < before
    return is_before and (after is None or run.started_at > after)


def is_ours(place: paths.Place, folder: str) -> bool:
    """Return whether ``folder`` is a real folder of ours, reached over no link, with records."""
    inside = os.path.relpath(folder, place.folder).split(os.sep)
    if ".." in inside or os.path.isabs(inside[0]) or inside == ["."]:
        return False
    path = place.folder
    for part in (*inside, "records"):
        path = os.path.join(path, part)
        try:
            found = os.lstat(path)
        except OSError:
            return False
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            return False
    return True


def _remove(folder: str) -> None:
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise HschedError(f"{error.filename or folder}: {error.strerror}; it is left") from error
    with contextlib.suppress(OSError):
        os.rmdir(os.path.dirname(folder))  # the day's, if this was its last run
