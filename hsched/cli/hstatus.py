"""``hstatus``: every scheduler of this user on this machine, at a glance."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from hsched import paths
from hsched.cli.common import Command, complain, json_option, put, run
from hsched.cli.fields.schedulers import COLUMNS, Standing
from hsched.cli.listing import Look, listing_options, show, take_look
from hsched.cli.render import json_lines
from hsched.client import Client
from hsched.errors import HschedError, NoAnswer, NotRunning

if TYPE_CHECKING:
    from hsched.wire.status import StatusReply

#: A broker that hangs must not hold up the listing of the others.
_PATIENCE_S = 2.0

_NONE = "no schedulers found"


@click.command(
    "hstatus",
    cls=Command,
    examples=("hstatus", "hstatus --name gpu --json", "hstatus -o name,free,drained --watch"),
)
@click.option(
    "-n", "--name", "names", multiple=True, metavar="NAME", help="Only this one; repeatable."
)
@listing_options("schedulers", "name,free,state", "pending")
@json_option
def command(names: tuple[str, ...], **asked: Any) -> int:
    """List the schedulers that run: slots in total, free and used; jobs in total and by state.

    The folder in which they keep their state is named on stderr.
    """
    look = take_look(asked, "`hstatus --json` lists them once")
    if look.is_watched:
        _watch(names, look)
        return 0
    folder = os.path.join(paths.home(), paths.host())
    click.echo(f"path to state folder: {folder}", err=True)
    status = 0
    found: list[Standing] = []
    for name in names or paths.names():
        try:
            reply = _ask(name)
            found.append(Standing(reply.name, reply))
        except NoAnswer as error:
            found.append(Standing(name, None))
            status = max(status, complain("hstatus", error))
        except NotRunning as error:
            status = max(status, complain("hstatus", error) if names else 0)
        except HschedError as error:
            status = max(status, complain("hstatus", error))
    found = COLUMNS.in_order(found, look.order)
    if look.how == "json":
        put(json_lines(one.reply for one in found if one.reply is not None))
    else:
        show(COLUMNS, found, look.fields, _NONE)
    return status


def _ask(name: str) -> StatusReply:
    with Client(name, timeout=_PATIENCE_S) as client:
        return client.status()


def _watch(names: tuple[str, ...], look: Look) -> None:
    from hsched.cli.watching.loop import watch  # draws, and is slow to import
    from hsched.cli.watching.picture import picture
    from hsched.cli.watching.schedulers import Schedulers

    with Schedulers(names) as schedulers:

        def draw(lines: int) -> str:
            rows = COLUMNS.in_order(schedulers.rows, look.order)
            troubles = [f"hstatus: {trouble}" for trouble in schedulers.troubles]
            return picture(COLUMNS, rows, look.fields, lines, troubles) or _NONE

        watch(draw, schedulers.wait)


def main() -> None:
    """Be the program."""
    run(command)
