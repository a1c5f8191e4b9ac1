"""``hsched top``: the queue on the whole screen, as it changes."""

from __future__ import annotations

import os
import sys

import click

from hsched.cli.common import Command, run, scheduler_option
from hsched.errors import WrongUsage

_ELSE = "`hjobs` lists jobs once, `hsched watch` prints changes"


@click.command(
    "hsched top", cls=Command, examples=("hsched top", "hsched top -n gpu --svg queue.svg")
)
@click.option(
    "--svg",
    metavar="FILE",
    help="Write what would be shown to FILE as a picture, and end; no terminal is needed.",
)
@scheduler_option
def command(scheduler: str | None, svg: str | None) -> None:
    """Show the queue, the slots and what jobs use on the whole screen, as they change.

    Keys hold, release and end jobs and show their logs; `?` lists them. The broker is not
    polled: it tells what changes. What processes use is looked at every two seconds.
    """
    if svg is None:
        _check_terminal()
    from hsched.cli.top import live  # with asyncio, rich and psutil, once it is known that we may

    if svg is None:
        live.show(scheduler)
    else:
        live.draw(scheduler, svg)


def _check_terminal() -> None:
    """Check that there is a screen to draw on.

    Raises:
        WrongUsage: there is none; the text says what to use instead.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise WrongUsage(f"it needs a terminal for its input and its output; {_ELSE}")
    if (kind := os.environ.get("TERM", "")) in ("", "dumb"):
        raise WrongUsage(f"TERM is `{kind}`, a terminal that cannot be drawn on; {_ELSE}")


def main() -> None:
    """Be the program."""
    run(command)
