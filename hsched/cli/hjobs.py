"""``hjobs``: list jobs, live ones unless asked for others."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from hsched.cli.choice import group_options, words_of
from hsched.cli.common import (
    Command,
    for_people,
    json_option,
    put,
    run,
    scheduler_option,
    state_option,
)
from hsched.cli.listing import Look, listing_options, take_look
from hsched.cli.render import job_lines, json_lines, reason_lines
from hsched.client import Client
from hsched.client.subscription import wait_for_news

if TYPE_CHECKING:
    from hsched.cli.fields.columns import Order
    from hsched.wire.jobs import JobView

#: Where there is no terminal to watch on.
_INSTEAD = "`hwait` waits for jobs, and `hjobs --json` lists them once"

#: What the first word may be besides a job: the query that it stands for.
_KINDS: dict[str, dict[str, Any]] = {
    "pending": {"states": ("pending",)},
    "running": {"states": ("starting", "running", "stopping")},
    "done": {"scope": "done"},
    "failed": {"scope": "failed"},
}


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
@listing_options("jobs", "id,name,command", "started")
@state_option
@json_option
@scheduler_option
def command(scheduler: str | None, **asked: Any) -> None:
    """List live jobs, one a line, or those that KIND and JOB choose.

    KIND is running, pending, done or failed. JOB is an id, a range such as 3-10, last, or
    a name. A job that is not live is an error, unless --all is given.
    """
    look = take_look(asked, _INSTEAD, others=("why",))
    with Client(scheduler) as client:
        if look.is_watched:
            _watch(client, asked, look)
        else:
            _show(_jobs(client, asked, look.order), look)


def _watch(client: Client, asked: dict[str, Any], look: Look) -> None:
    from hsched.cli.table import show_jobs  # slow to import, and for people only
    from hsched.cli.terminal import console
    from hsched.cli.watching.loop import watch

    def draw(lines: int) -> str:
        screen = console()
        jobs = list(_jobs(client, dict(asked), look.order))
        with screen.capture() as drawn:
            show_jobs(jobs, screen, look.fields, most=lines)
        return drawn.get() if jobs else "no jobs found\n"

    with client.subscribe(arrivals=True) as changes:

        def wait(other: int) -> None:
            changes.begin()  # again, where the broker was gone
            wait_for_news([changes], other)

        changes.begin()
        watch(draw, wait)


def _jobs(client: Client, asked: dict[str, Any], order: Order | None) -> Iterator[JobView]:
    words = asked["words"]
    kind = _KINDS.get(words[0], {}) if words else {}
    asked["words"] = words[1:] if kind else words
    chosen = words_of(asked)
    wide = asked["everything"] or asked["run_name"] or asked["last"]
    query = {"scope": "all" if wide else "live", "states": asked["states"], **kind}
    jobs = client.jobs(*chosen, run=asked["run_name"], last=asked["last"], **query)
    if order is None:
        return jobs
    from hsched.cli.fields.jobs import COLUMNS  # only where they are sorted

    return iter(COLUMNS.in_order(jobs, order))


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
        from hsched.cli.fields.jobs import COLUMNS

        put(COLUMNS.lines(found, look.fields))
    else:
        put(job_lines(found))


def main() -> None:
    """Be the program."""
    run(command)
