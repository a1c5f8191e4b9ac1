"""``hsched set``: change what waiting tasks ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from hsched.cli import times
from hsched.cli.common import Command
from hsched.cli.tasks.common import pick, scheduler_option
from hsched.client import Client
from hsched.errors import WrongUsage

if TYPE_CHECKING:
    from hsched.wire.jobs import JobView

#: No machine has a number of devices with so many digits.
_DIGITS = 10


def _priority(word: str) -> dict[str, Any]:
    try:
        return {"priority": int(word)}
    except ValueError:
        raise WrongUsage(f"`{word}` is no whole number, and a priority is one") from None


def _time_limit(word: str) -> dict[str, Any]:
    return {"no_time_limit": True} if word == "none" else {"time_limit": times.limit(word)}


def _min_devices(word: str) -> dict[str, Any]:
    if not (word.isascii() and word.isdigit() and len(word) < _DIGITS):
        raise WrongUsage(f"`{word}` is no number of devices: 0, 1, 2, ...")
    return {"min_devices": int(word)}


def _memory(word: str) -> dict[str, Any]:
    from hsched.tasks.memory import memory

    wanted = memory(word)
    return {"memory": wanted.size, "memory_fraction": wanted.fraction}


#: What can be set, and what the client is told then.
SETTABLE: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "priority": _priority,
    "slots": lambda word: {"slots": word},
    "time_limit": _time_limit,
}

#: What can be set and means different slots for different tasks.
OF_DEVICES: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "min_devices": _min_devices,
    "requires_memory_per_device": _memory,
}


@click.command(
    "hsched set",
    cls=Command,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "ignore_unknown_options": True,  # so that `-1` is a value
    },
    examples=(
        "hsched set train.priority 5",
        "hsched set pipeline.slots cores=2",
        "hsched set train.requires_memory_per_device 12G",
    ),
)
@click.argument("target", metavar="TASK.ATTR")
@click.argument("value", metavar="VALUE")
@scheduler_option
def command(scheduler: str | None, target: str, value: str) -> None:
    """Change an attribute of waiting tasks, such as priority, slots or min_devices.

    TASK is a name, a group, a regular expression for whole names, or an id. ATTR is priority,
    slots, time_limit, min_devices or requires_memory_per_device. A time limit is 60, 90s, 2h
    or 1:30:00, and `none` removes it; memory is as for `hsched create`, and 0 asks for whole
    devices.
    """
    task, dot, attribute = target.rpartition(".")
    if not dot or not task:
        raise WrongUsage(f"`{target}` is not of the form TASK.ATTR, such as train.priority")
    known = {**SETTABLE, **OF_DEVICES}
    if attribute not in known:
        raise WrongUsage(f"`{attribute}` cannot be set; there are {', '.join(known)}")
    changes = known[attribute](value)
    with Client(scheduler) as client:
        picked = pick(client, (task,), False)
        if attribute in SETTABLE:
            client.update([job.id for job in picked], **changes)
        else:
            _set_devices(client, picked, changes)


def _set_devices(client: Client, picked: Sequence[JobView], changes: dict[str, Any]) -> None:
    """Change what tasks ask of devices; those that ask for the same then, all or none."""
    from hsched.tasks.devices import changed_fields

    resources = client.slots()
    alike: dict[tuple[tuple[str, Any], ...], list[str]] = {}
    for job in picked:
        fields = changed_fields(job, changes, resources)
        alike.setdefault(tuple(fields.items()), []).append(job.id)
    for given, ids in alike.items():
        client.update(ids, **dict(given))
