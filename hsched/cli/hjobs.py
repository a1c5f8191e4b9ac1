"""``hjobs``: list jobs, live ones unless asked for others."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from hsched.cli.choice import group_options, words_of
from hsched.cli.common import (
    Command,
    json_option,
    on_terminal,
    put,
    run,
    scheduler_option,
    state_option,
)
from hsched.cli.render import job_lines, json_lines, reason_lines
from hsched.client import Client

if TYPE_CHECKING:
    from hsched.wire.jobs import JobView

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
@state_option
@json_option
@scheduler_option
def command(scheduler: str | None, as_json: bool, why: bool, **asked: Any) -> None:
    """List live jobs, one a line, or those that KIND and JOB choose.

    KIND is running, pending, done or failed. JOB is an id, a range such as 3-10, last, or
    a name. A job that is not live is an error, unless --all is given.
    """
    with Client(scheduler) as client:
        _show(_jobs(client, asked), "json" if as_json else "why" if why else "")


def _jobs(client: Client, asked: dict[str, Any]) -> Iterator[JobView]:
    words = asked["words"]
    kind = _KINDS.get(words[0], {}) if words else {}
    asked["words"] = words[1:] if kind else words
    chosen = words_of(asked)
    wide = asked["everything"] or asked["run_name"] or asked["last"]
    query = {"scope": "all" if wide else "live", "states": asked["states"], **kind}
    return client.jobs(*chosen, run=asked["run_name"], last=asked["last"], **query)


def _show(jobs: Iterator[JobView], how: str) -> None:
    first = next(jobs, None)
    found = jobs if first is None else itertools.chain([first], jobs)
    if how == "json":
        put(json_lines(found))
    elif first is None:
        put(["no jobs found"])
    elif how == "why":
        put(reason_lines(found))
    elif on_terminal():
        from hsched.cli.table import show_jobs  # slow to import, and for people only

        show_jobs(found)
    else:
        put(job_lines(found))


def main() -> None:
    """Be the program."""
    run(command)
