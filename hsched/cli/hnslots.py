"""``hnslots``: how many slots there are, in use, or free; and how many there shall be."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import TYPE_CHECKING

import click

from hsched.cli.common import Command, json_option, put, run, scheduler_option
from hsched.cli.render import amounts, json_lines
from hsched.client import Client
from hsched.errors import HschedError, WrongUsage

if TYPE_CHECKING:
    from hsched.wire.slots import ResourceView


@click.command(
    "hnslots",
    cls=Command,
    examples=("hnslots", "hnslots free", "hnslots set gpus=1", "hnslots drain gpus:1"),
)
@click.argument("words", nargs=-1, metavar="[used|free|set SPEC|drain SLOT...|undrain SLOT...]")
@json_option
@scheduler_option
def command(scheduler: str | None, words: tuple[str, ...], as_json: bool) -> None:
    """Print the number of slots of each resource, such as 6,2,32, or change it.

    All there are, or those that are used or free now. Set changes the totals that SPEC
    names, down to 0; jobs keep what they hold. Drain takes single slots such as gpus:1 or
    cores:4-7 out of use, and lists them without SLOT; undrain puts them back.
    """
    verb, operands = (words or ("total",))[0], words[1:]
    if verb not in _VERBS:
        raise HschedError(
            f"`{verb}` must be `used` or `free`, or be left out; or set, drain or undrain"
        )
    least, most, told = _VERBS[verb]
    if not least <= len(operands) <= most:
        raise WrongUsage(f"{verb} takes {told}; see `hnslots --help`")
    with Client(scheduler) as client:
        resources, lines = _do(client, verb, operands)
    put(json_lines(resources) if as_json else lines)


#: What may be said, and how many words may follow: least, most, and how to say it.
_VERBS: dict[str, tuple[int, float, str]] = {
    "total": (0, 0, "no other word"),
    "used": (0, 0, "no other word"),
    "free": (0, 0, "no other word"),
    "set": (1, 1, "one SPEC, such as 8,2,32 or gpus=1"),
    "drain": (0, inf, "slots such as gpus:1"),
    "undrain": (1, inf, "slots such as gpus:1"),
}


def _do(
    client: Client, verb: str, operands: tuple[str, ...]
) -> tuple[tuple[ResourceView, ...], Sequence[str]]:
    """Return the resources, and what to print where no JSON was asked for."""
    if verb == "set":
        return client.set_slots(operands[0]), ()
    if operands:
        return client.drain_slots(operands, back=verb == "undrain"), ()
    resources = client.slots()
    if verb == "drain":
        return resources, [f"{one.name}:{slot}" for one in resources for slot in one.drained]
    return resources, [amounts(resources, verb)]


def main() -> None:
    """Be the program."""
    run(command)
