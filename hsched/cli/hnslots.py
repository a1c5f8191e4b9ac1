"""``hnslots``: how many slots there are, in use, or free."""

from __future__ import annotations

import click

from hsched.cli.common import Command, json_option, put, run, scheduler_option
from hsched.cli.render import amounts, json_lines
from hsched.client import Client
from hsched.errors import HschedError


@click.command("hnslots", cls=Command, examples=("hnslots", "hnslots free"))
@click.argument("which", default="total", metavar="[used|free]")
@json_option
@scheduler_option
def command(scheduler: str | None, which: str, as_json: bool) -> None:
    """Print the number of slots of each resource, such as 6,2,32.

    All there are, or those that are used or free now.
    """
    if which not in ("total", "used", "free"):
        raise HschedError(f"`{which}` must be `used` or `free`, or be left out")
    with Client(scheduler) as client:
        resources = client.slots()
    put(json_lines(resources) if as_json else [amounts(resources, which)])


def main() -> None:
    """Be the program."""
    run(command)
