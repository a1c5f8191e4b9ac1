"""``hwait``: return when jobs are done, with their exit status."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

from hsched.cli import exits, times
from hsched.cli.common import Command, Failure, on_terminal, reads, run, scheduler_option
from hsched.client import Client
from hsched.client.tally import Tally
from hsched.errors import HschedError, NoSuchJob, WrongUsage

if TYPE_CHECKING:
    from hsched.client.subscription import Subscription

Show = Callable[[Tally], None]


@click.command(
    "hwait",
    cls=Command,
    examples=(
        "hwait 7",
        "hwait --timeout 1h 3-10 train",
        "hwait --all",
        "dep=$(hsubmit 1 make) && hwait $dep && echo made",
    ),
)
@click.argument("words", nargs=-1, metavar="[JOB]...")
@click.option("-a", "--all", "everything", is_flag=True, help="All jobs that are live now.")
@click.option(
    "--any",
    "any_of",
    is_flag=True,
    help="Return when one of them is done; of all live jobs if no JOB is given.",
)
@click.option(
    "--timeout",
    metavar="DURATION",
    callback=reads(times.duration),
    help="Give up after this time, with exit status 124: seconds, 90s, 2h or 1:30:00.",
)
@scheduler_option
def command(
    scheduler: str | None,
    words: tuple[str, ...],
    everything: bool,
    any_of: bool,
    timeout: float | None,
) -> int:
    """Wait until jobs are done, and return their exit status, of several the largest.

    JOB is an id, an array, a range such as 3-10, or a name: that of live jobs, or of one
    that is done. A job that is done counts as well. On a terminal a bar shows how far they are.
    """
    if bool(words) == everything and (everything or not any_of):
        raise WrongUsage("say which jobs: ids, names, --all or --any")
    try:
        with Client(scheduler) as client:
            tally = Tally(_ids(client, words))
            listening = client.subscribe(tally.ids, timeout, ends=not on_terminal())
            with listening as changes, _bar() as show:
                is_over = _follow(changes, tally, any_of, show)
    except WrongUsage:
        raise
    except HschedError as error:
        raise Failure("hwait", str(error), exits.NOT_DONE) from error
    if not is_over:
        live = tally.total - len(tally.ended)
        told = f"the time is up, and {live} of {tally.total} jobs are not done"
        raise Failure("hwait", told, exits.TIMED_OUT)
    return exits.largest(tally.endings())


def _ids(client: Client, words: tuple[str, ...]) -> list[str]:
    """Return the ids that words mean."""
    if not words:
        return [job.id for job in client.jobs()]
    ids: list[str] = []
    for word in words:
        if word.replace(".", "", 1).isdigit():
            ids.append(word)
        else:
            ids += _meant(client, word)
    return ids


def _meant(client: Client, word: str) -> list[str]:
    """Return the jobs of a range; of a name those that live, or else the last one."""
    by_id = word.replace("-", "", 1).isdigit() or word.startswith("last")
    try:
        return [job.id for job in client.jobs(word, scope="all" if by_id else "live")]
    except NoSuchJob:
        if by_id:
            raise
        return [job.id for job in client.jobs(word, scope="done", last=1)]


def _follow(changes: Subscription, tally: Tally, any_of: bool, show: Show) -> bool:
    """Take in changes until the jobs are done; False where the time was up before."""
    while not (tally.all_done or (any_of and tally.any_done)):
        page = changes.page()
        if page is None:
            return False
        for change in page:
            tally.take(change)
        show(tally)
    return True


@contextlib.contextmanager
def _bar() -> Iterator[Show]:
    """Yield what shows a tally: a bar on a terminal, nothing elsewhere."""
    if not on_terminal():
        yield lambda tally: None
        return
    from hsched.cli.progress import bar  # brings in rich, for terminals alone

    with bar() as show:
        yield show


def main() -> None:
    """Be the program."""
    run(command)
