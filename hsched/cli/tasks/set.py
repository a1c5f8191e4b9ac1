"""``hsched set``: change what waiting tasks ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from hsched.cli import times
from hsched.cli.common import Command
from hsched.cli.tasks.common import pick, scheduler_option
from hsched.client import Client
from hsched.errors import WrongUsage


def _priority(word: str) -> dict[str, Any]:
    try:
        return {"priority": int(word)}
    except ValueError:
        raise WrongUsage(f"`{word}` is no whole number, and a priority is one") from None


def _time_limit(word: str) -> dict[str, Any]:
    return {"no_time_limit": True} if word == "none" else {"time_limit": times.limit(word)}


#: What can be set, and what the client is told then.
SETTABLE: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "priority": _priority,
    "slots": lambda word: {"slots": word},
    "time_limit": _time_limit,
}


@click.command(
    "hsched set",
    cls=Command,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "ignore_unknown_options": True,  # so that `-1` is a value
    },
    examples=("hsched set train.priority 5", "hsched set pipeline.slots cores=2"),
)
@click.argument("target", metavar="TASK.ATTR")
@click.argument("value", metavar="VALUE")
@scheduler_option
def command(scheduler: str | None, target: str, value: str) -> None:
    """Change an attribute of waiting tasks: priority, slots, or time_limit.

    TASK is a name, a group, a regular expression for whole names, or an id. A time limit is
    60, 90s, 2h or 1:30:00, and `none` removes it.
    """
    task, dot, attribute = target.rpartition(".")
    if not dot or not task:
        raise WrongUsage(f"`{target}` is not of the form TASK.ATTR, such as train.priority")
    if attribute not in SETTABLE:
        raise WrongUsage(f"`{attribute}` cannot be set; there are {', '.join(SETTABLE)}")
    changes = SETTABLE[attribute](value)
    with Client(scheduler) as client:
        client.update([job.id for job in pick(client, (task,), False)], **changes)
