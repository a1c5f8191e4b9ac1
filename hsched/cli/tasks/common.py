"""What the commands for tasks share: which scheduler, which tasks, and starting one."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hsched import paths
from hsched.errors import AlreadyRunning, NoSuchJob, NotRunning, WrongUsage

if TYPE_CHECKING:
    from hsched.client import Client
    from hsched.wire.jobs import JobView

F = TypeVar("F", bound=Callable[..., Any])
R = TypeVar("R")

_PATIENCE_S = 60.0

#: What a scheduler is started with that nobody described.
_FOUND_BY_ITSELF = ("--spec=auto",)


def scheduler_option(function: F) -> F:
    """Add ``--scheduler``: which one; `-n` is the name of a task here."""
    return click.option(
        "--scheduler",
        metavar="NAME",
        help="Speak with the scheduler NAME; by default HSCHED_NAME, or `default`.",
    )(function)


def task_words(function: F) -> F:
    """Add the words that choose tasks, and ``-A/--all``."""
    function = click.option("-A", "--all", "everything", is_flag=True, help="All tasks.")(function)
    return click.argument("words", nargs=-1, metavar="[TASK]...")(function)


def pick(
    client: Client, words: Sequence[str], everything: bool, scope: str = "live"
) -> list[JobView]:
    """Return the tasks that the words mean, or all of them; an id may mean any job.

    Raises:
        WrongUsage: neither words nor all were given, or both.
        NoSuchJob: a word means none, or there is none at all.
    """
    from hsched.tasks.choosing import chosen
    from hsched.tasks.status import is_task

    if bool(words) == everything:
        raise WrongUsage("say which tasks: names, groups, regular expressions, ids, or --all")
    jobs = list(client.jobs(scope=scope))
    if words:
        named = [job for job in jobs if job.name is None or is_task(job)]
        try:
            return chosen(named, words)
        except NoSuchJob:
            if scope == "live" and (over := _what_is_over(client, named, words)):
                raise NoSuchJob(over) from None
            raise
    found = [job for job in jobs if is_task(job)]
    if not found:
        raise NoSuchJob("there is no such task")
    return found


def _what_is_over(client: Client, live: Sequence[JobView], words: Sequence[str]) -> str:
    """Return how the tasks ended that the first unfit word means; nothing where it means none."""
    from hsched.tasks.status import is_task, status

    done = [job for job in client.jobs(scope="done") if is_task(job)]
    word = next(word for word in words if not _found(live, word))
    told = [f"{called(one)} ({status(one)})" for one in _found(done, word)]
    return f"`{word}` is over: {some(told)}" if told else ""


def _found(jobs: Sequence[JobView], word: str) -> list[JobView]:
    from hsched.tasks.choosing import chosen

    try:
        return chosen(jobs, [word])
    except NoSuchJob:
        return []


def called(job: JobView) -> str:
    """Return what a task is called, or the id of a job without a name."""
    return job.name or f"job {job.id}"


def some(names: Iterable[str], most: int = 3) -> str:
    """Return the first few of ``names``, and how many more there are."""
    listed = list(names)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more


def note(program: str, text: str) -> None:
    """Say something on stderr that is no error."""
    from hsched.cli.render import printable

    click.echo(f"{program}: {printable(text)}", err=True)


def with_scheduler(client: Client, action: Callable[[], R]) -> R:
    """Do ``action``; where no scheduler runs, start one first, and say so.

    Raises:
        HschedError: it could not be started, or what ``action`` raises.
    """
    try:
        return action()
    except NotRunning:
        start(client.place)
        note("hsched", f"started {client.name} scheduler with nslots = {_slots(client)}")
        return action()


def start(place: paths.Place) -> None:
    """Start a scheduler in the background for what this machine has, and wait until it answers."""
    from hsched.client import launch

    try:
        launch.launch(place, _FOUND_BY_ITSELF, time.monotonic() + _PATIENCE_S)
    except AlreadyRunning:
        return  # somebody else was faster, and theirs will do


def _slots(client: Client) -> str:
    from hsched.cli.render import amounts

    return amounts(client.slots())


def place_of(scheduler: str | None) -> paths.Place:
    """Return the place of the scheduler that is meant."""
    return paths.place(scheduler or paths.default_name())


def is_running(place: paths.Place) -> bool:
    """Return whether a broker lives there; nothing is started or brought back for it."""
    return paths.read_address(place) is not None and paths.is_locked(place)


def environment() -> dict[str, str]:
    """Return the environment as text stands for it on the wire."""
    from hsched.wire.message import text

    return {text(name): text(value) for name, value in os.environb.items()}


def flush() -> None:
    """Let what was printed be seen now."""
    sys.stdout.flush()
