"""``hjobs``: list jobs, live ones unless asked for others."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from hsched.cli.choice import group_options, words_of
from hsched.cli.common import (
    Command,
    for_people,
    json_option,
    on_terminal,
    put,
    reads,
    run,
    scheduler_option,
    state_option,
)
from hsched.cli.render import job_lines, json_lines, reason_lines
from hsched.client import Client
from hsched.errors import WrongUsage

if TYPE_CHECKING:
    from hsched.wire.jobs import JobView

#: What the first word may be besides a job: the query that it stands for.
_KINDS: dict[str, dict[str, Any]] = {
    "pending": {"states": ("pending",)},
    "running": {"states": ("starting", "running", "stopping")},
    "done": {"scope": "done"},
    "failed": {"scope": "failed"},
}


def _fields(text: str) -> tuple[str, ...]:
    from hsched.cli.fields import parse  # only where columns are chosen

    return parse(text)


def _order(text: str) -> tuple[str, bool]:
    from hsched.cli.fields import parse_order

    return parse_order(text)


@click.command(
    "hjobs",
    cls=Command,
    examples=(
        "hjobs",
        "hjobs running",
        "hjobs --all --json",
        "hjobs --why pending",
        "hjobs --all -o id,name,wall,command --sort -wall",
        "hjobs --watch",
        "while hjobs 3; do sleep 1; done",
    ),
)
@click.argument("words", nargs=-1, metavar="[KIND] [JOB]...")
@group_options
@click.option("-a", "--all", "everything", is_flag=True, help="Also jobs that are done.")
@click.option("--run", "run_name", metavar="RUN", help="All jobs of an older run.")
@click.option(
    "--last", type=click.IntRange(min=1), metavar="N", help="The newest N jobs, live or done."
)
@click.option(
    "--why", is_flag=True, help="Print ID, STATE, EXPECTED start, and the REASON why it waits."
)
@click.option(
    "-o",
    "--fields",
    metavar="FIELDS",
    callback=reads(_fields),
    help="Print these columns, such as id,name,command; see FIELDS in the man page.",
)
@click.option(
    "--sort",
    "order",
    metavar="FIELD",
    callback=reads(_order),
    help="Sort by a field, such as started; -started has the largest first.",
)
@click.option(
    "-w",
    "--watch",
    "watched",
    is_flag=True,
    help="On a terminal: draw the table again whenever something changes, until Ctrl-C.",
)
@state_option
@json_option
@scheduler_option
def command(scheduler: str | None, watched: bool, **asked: Any) -> None:
    """List live jobs, one a line, or those that KIND and JOB choose.

    KIND is running, pending, done or failed. JOB is an id, a range such as 3-10, last, or
    a name. A job that is not live is an error, unless --all is given.
    """
    look = _look(asked)
    if watched and look.how not in ("", "fields"):
        raise WrongUsage("--watch draws a table; give it without --json and --why")
    if watched and not on_terminal():
        raise WrongUsage(
            "--watch needs a terminal, and stdout is none; `hwait` waits for jobs, and "
            "`hjobs --json` lists them once"
        )
    with Client(scheduler) as client:
        if watched:
            _watch(client, asked, look)
        else:
            _show(_jobs(client, dict(asked), look), look)


class Look(NamedTuple):
    """How jobs are shown: as ``json``, ``why``, ``fields`` or as ever; and in which order."""

    how: str
    fields: tuple[str, ...]
    order: tuple[str, bool] | None


def _look(asked: dict[str, Any]) -> Look:
    """Take what says how to show jobs out of ``asked``.

    Raises:
        WrongUsage: it says two things.
    """
    ways = {"json": asked.pop("as_json"), "why": asked.pop("why"), "fields": asked.pop("fields")}
    given = [way for way, value in ways.items() if value]
    if "fields" in given and len(given) > 1:
        raise WrongUsage(f"give either -o or --{given[0]}, not both")
    return Look((given or [""])[0], ways["fields"] or (), asked.pop("order"))


def _watch(client: Client, asked: dict[str, Any], look: Look) -> None:
    from hsched.cli.table import show_jobs  # slow to import, and for people only
    from hsched.cli.terminal import console
    from hsched.cli.watching import watch

    def draw(lines: int) -> str:
        screen = console()
        jobs = list(_jobs(client, dict(asked), look))
        with screen.capture() as drawn:
            show_jobs(jobs, screen, look.fields, most=lines)
        return drawn.get() if jobs else "no jobs found\n"

    watch(client, draw)


def _jobs(client: Client, asked: dict[str, Any], look: Look) -> Iterator[JobView]:
    words = asked["words"]
    kind = _KINDS.get(words[0], {}) if words else {}
    asked["words"] = words[1:] if kind else words
    chosen = words_of(asked)
    wide = asked["everything"] or asked["run_name"] or asked["last"]
    query = {"scope": "all" if wide else "live", "states": asked["states"], **kind}
    jobs = client.jobs(*chosen, run=asked["run_name"], last=asked["last"], **query)
    if look.order is None:
        return jobs
    from hsched.cli.fields import in_order

    return iter(in_order(jobs, *look.order))


def _show(jobs: Iterator[JobView], look: Look) -> None:
    first = next(jobs, None)
    found = jobs if first is None else itertools.chain([first], jobs)
    if look.how == "json":
        put(json_lines(found))
    elif first is None:
        put(["no jobs found"])
    elif look.how == "why":
        put(reason_lines(found))
    elif for_people():
        from hsched.cli.table import show_jobs  # slow to import, and for people only

        show_jobs(found, names=look.fields)
    elif look.fields:
        from hsched.cli.fields import lines

        put(lines(found, look.fields))
    else:
        put(job_lines(found))


def main() -> None:
    """Be the program."""
    run(command)
