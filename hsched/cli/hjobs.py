"""``hjobs``: list jobs, live ones unless asked for others."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from hsched.cli.common import (
    Command,
    json_option,
    on_terminal,
    put,
    run,
    scheduler_option,
    state_option,
)
from hsched.cli.render import job_lines, json_lines
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
    examples=("hjobs", "hjobs running", "hjobs --all --json", "while hjobs 3; do sleep 1; done"),
)
@click.argument("words", nargs=-1, metavar="[KIND] [JOB]...")
@click.option("-a", "--all", "everything", is_flag=True, help="Also jobs that are done.")
@click.option("--run", "run_name", metavar="RUN", help="All jobs of an older run.")
@click.option(
    "--last", type=click.IntRange(min=1), metavar="N", help="The newest N jobs, live or done."
)
@state_option
@json_option
@scheduler_option
def command(scheduler: str | None, words: tuple[str, ...], as_json: bool, **asked: Any) -> None:
    """List live jobs, one a line, or those that KIND and JOB choose.

    KIND is running, pending, done or failed. JOB is an id, a range such as 3-10, or a
    name. A job that is not live is an error, unless --all is given.
    """
    with Client(scheduler) as client:
        _show(_jobs(client, words, asked), as_json)


def _jobs(client: Client, words: tuple[str, ...], asked: dict[str, Any]) -> Iterator[JobView]:
    kind = _KINDS.get(words[0], {}) if words else {}
    chosen = words[1:] if kind else words
    wide = asked["everything"] or asked["run_name"] or asked["last"]
    query = {"scope": "all" if wide else "live", "states": asked["states"], **kind}
    return client.jobs(*chosen, run=asked["run_name"], last=asked["last"], **query)


def _show(jobs: Iterator[JobView], as_json: bool) -> None:
    first = next(jobs, None)
    found = jobs if first is None else itertools.chain([first], jobs)
    if as_json:
        put(json_lines(found))
    elif first is None:
        put(["no jobs found"])
    elif on_terminal():
        from hsched.cli.table import show_jobs  # slow to import, and for people only

        show_jobs(found)
    else:
        put(job_lines(found))


def main() -> None:
    """Be the program."""
    run(command)
