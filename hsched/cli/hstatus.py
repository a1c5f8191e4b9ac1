"""``hstatus``: every scheduler of this user on this machine, at a glance."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from hsched import paths
from hsched.cli.common import Command, complain, for_people, json_option, put, run
from hsched.cli.render import amounts, columns, json_lines
from hsched.client import Client
from hsched.errors import HschedError, NoAnswer, NotRunning

if TYPE_CHECKING:
    from hsched.wire.status import StatusReply

HEADER = ("NAME", "TOTAL", "FREE", "USED", "JOBS", "RUNNING", "PENDING")
_WIDTHS = (16, 12, 12, 12, 8, 8)

#: A broker that hangs must not hold up the listing of the others.
_PATIENCE_S = 2.0


@click.command("hstatus", cls=Command, examples=("hstatus", "hstatus --name gpu --json"))
@click.option(
    "-n", "--name", "names", multiple=True, metavar="NAME", help="Only this one; repeatable."
)
@json_option
def command(names: tuple[str, ...], as_json: bool) -> int:
    """List the schedulers that run: slots in total, free and used; jobs in total and by state.

    The folder in which they keep their state is named on stderr.
    """
    folder = os.path.join(paths.home(), paths.host())
    click.echo(f"path to state folder: {folder}", err=True)
    status = 0
    found: list[StatusReply] = []
    rows: list[tuple[str, ...]] = []
    for name in names or paths.names():
        try:
            found.append(_ask(name))
            rows.append(_row(found[-1]))
        except NoAnswer as error:
            rows.append((name, *("-" * 5), "not answering"))
            status = max(status, complain("hstatus", error))
        except NotRunning as error:
            status = max(status, complain("hstatus", error) if names else 0)
        except HschedError as error:
            status = max(status, complain("hstatus", error))
    _show(found, rows, as_json)
    return status


def _ask(name: str) -> StatusReply:
    with Client(name, timeout=_PATIENCE_S) as client:
        return client.status()


def _row(reply: StatusReply) -> tuple[str, ...]:
    slots = (amounts(reply.resources, which) for which in ("total", "free", "used"))
    jobs = (str(reply.jobs.get(which, 0)) for which in ("total", "running", "pending"))
    return (reply.name, *slots, *jobs)


def _show(found: list[StatusReply], rows: list[tuple[str, ...]], as_json: bool) -> None:
    if as_json:
        put(json_lines(found))
    elif not rows:
        put(["no schedulers found"])
    elif for_people():
        from hsched.cli.table import show_table  # slow to import, and for people only

        show_table(HEADER, rows)
    else:
        put(columns([HEADER, *rows], _WIDTHS))


def main() -> None:
    """Be the program."""
    run(command)
