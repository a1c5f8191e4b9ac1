"""``hsched timeline``: who held which slot when, as a picture."""

from __future__ import annotations

import os

import click

from hsched.cli.common import Command, put, reads, run, scheduler_option
from hsched.cli.times import duration
from hsched.client import Client
from hsched.errors import WrongUsage

_FORMATS = (".svg", ".html")


def _path(given: str) -> str:
    if os.path.splitext(given)[1].lower() not in _FORMATS:
        raise WrongUsage(f"`{given}`: the name of the picture ends in .svg or .html")
    return given


def _last(given: str) -> float:
    found = duration(given)
    if found <= 0:
        raise WrongUsage(f"`{given}`: there is nothing in no time; give one such as 2h")
    return found


@click.command(
    "hsched timeline",
    cls=Command,
    examples=("hsched timeline -o day.html", "hsched timeline --last 2h -o two-hours.svg"),
)
@click.option(
    "-o",
    "--out",
    metavar="FILE",
    required=True,
    callback=reads(_path),
    help="Where to write the picture: a name that ends in .svg, or in .html for one page with "
    "tips, which needs no network.",
)
@click.option(
    "--last",
    metavar="TIME",
    default="1d",
    callback=reads(_last),
    help="How far to look back: 2h, 30m or 7d; by default 1d.",
)
@scheduler_option
def command(scheduler: str | None, out: str, last: float) -> None:
    """Draw who held which slot when, one row a slot, and who waited.

    All runs of that time are shown. The scheduler need not run any more.
    """
    from datetime import datetime

    from hsched.timeline import Options, draw, lay_out, page  # slow to import: not for --help
    from hsched.timeline.history import read

    with Client(scheduler) as client:
        schedule = read(client, last)
    zone = datetime.now().astimezone().tzinfo
    assert zone is not None, "astimezone gives one"
    picture = lay_out(schedule, Options(last, zone))
    written = page(picture) if out.lower().endswith(".html") else draw(picture)
    with open(out, "w", encoding="utf-8") as file:
        file.write(written)
    put([f"{out}: {picture.title}"])


def main() -> None:
    """Be the program."""
    run(command)
