"""``hsched watch``: how live tasks go, as it happens."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from hsched.cli.common import Command, put
from hsched.cli.render import printable
from hsched.cli.tasks.common import called, pick, scheduler_option
from hsched.client import Client
from hsched.errors import NoSuchJob

if TYPE_CHECKING:
    from hsched.wire.subscribe import Change


@click.command("hsched watch", cls=Command, examples=("hsched watch", "hsched watch pipeline"))
@click.argument("words", nargs=-1, metavar="[TASK]...")
@scheduler_option
def command(scheduler: str | None, words: tuple[str, ...]) -> None:
    """Print how live tasks stand, and each change, until all of them are done.

    TASK is a name, a group, a regular expression for whole names, or an id; without one
    all tasks that are live now are watched. Nothing is polled.
    """
    with Client(scheduler) as client:
        try:
            tasks = pick(client, words, everything=not words)
        except NoSuchJob:
            if words:
                raise
            put(["no tasks found"])
            return
        names = {job.id: called(job) for job in tasks}
        with client.subscribe(list(names)) as changes:
            left = set(names)
            for change in changes:
                if change.id in names:
                    put([f"{_now()} {printable(names[change.id])} {told(change)}"])
                if change.state == "done":
                    left.discard(change.id)
                if not left:
                    return


def told(change: Change) -> str:
    """Return what a change means, in the words of `hsched list`."""
    if change.state == "done":
        word = {"succeeded": "done", "cancelled": "killed"}.get(
            change.outcome or "", change.outcome or "done"
        )
        if change.outcome == "failed":
            word += f" (exit status {change.exit_status})"
        elif change.outcome == "signalled":
            word += f" (signal {change.signal})"
        elif change.reason:
            word += f" ({printable(change.reason)})"
        return word
    return {"pending": "waiting"}.get(change.state, change.state)


def _now() -> str:
    return time.strftime("%H:%M:%S")
