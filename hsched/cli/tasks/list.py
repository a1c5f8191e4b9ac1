"""``hsched list``: the tasks of this run, and how they stand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from hsched.cli.common import Command, put, reads
from hsched.cli.render import columns, local_time, word
from hsched.cli.tasks.common import scheduler_option
from hsched.client import Client
from hsched.errors import WrongUsage
from hsched.tasks import filters
from hsched.tasks.status import ATTRIBUTES, Value, is_task

if TYPE_CHECKING:
    from hsched.wire.jobs import JobView

_DEFAULT = ("fullname", "status", "priority", "create_time", "id")


@click.command(
    "hsched list",
    cls=Command,
    examples=(
        "hsched list",
        "hsched list fullname status exit_status",
        "hsched list --filter 'status==done and priority>1'",
        "hsched list --filter 'fullname=~\"lr-.*\" and not status==waiting' --json",
    ),
)
@click.argument("attributes", nargs=-1, metavar="[ATTR]...")
@click.option(
    "-f",
    "--filter",
    "condition",
    metavar="EXPR",
    callback=reads(lambda text: filters.parse(text, ATTRIBUTES)),
    help="Only tasks for which EXPR holds: comparisons (== != < <= > >=, =~ for a regular "
    "expression) of attributes with values, joined by and, or, not and brackets.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects for scripts.")
@scheduler_option
def command(
    scheduler: str | None,
    attributes: tuple[str, ...],
    condition: filters.Filter | None,
    as_json: bool,
) -> None:
    """List the tasks of this run, waiting, running and done, one a line.

    ATTR is what to show: name, fullname, group, status, priority, id, attempt, pid,
    exit_status, reason, command, create_time, start_time, end_time, wall_s, cwd, out or err.
    """
    shown = _known(attributes)
    with Client(scheduler) as client:
        tasks = (job for job in client.jobs(scope="all") if is_task(job))
        fitting = [job for job in tasks if condition is None or _fits(job, condition)]
    if as_json:
        put(_json(fitting, shown or tuple(ATTRIBUTES)))
    elif not fitting:
        put(["no tasks found"])
    else:
        put(_lines(fitting, shown or _DEFAULT))


def _known(attributes: Sequence[str]) -> tuple[str, ...]:
    for name in attributes:
        if name not in ATTRIBUTES:
            raise WrongUsage(f"a task has no attribute `{name}`; there are {', '.join(ATTRIBUTES)}")
    return tuple(attributes)


def _fits(job: JobView, condition: filters.Filter) -> bool:
    return condition(lambda name: ATTRIBUTES[name](job))


def _lines(tasks: Iterable[JobView], shown: Sequence[str]) -> Iterator[str]:
    rows = [[_cell(name, ATTRIBUTES[name](job)) for name in shown] for job in tasks]
    table = [[name.upper() for name in shown], *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return columns(table, widths)


def _cell(name: str, value: Value) -> str:
    if value is None or value == "":
        return "-"
    if name.endswith("_time"):
        return local_time(str(value))
    return word(f"{value:.3f}" if isinstance(value, float) else str(value).replace(" ", "-"))


def _json(tasks: Iterable[JobView], shown: Sequence[str]) -> Iterator[str]:
    before = "["
    for job in tasks:
        yield before + json.dumps({name: ATTRIBUTES[name](job) for name in shown})
        before = ","
    yield "]" if before == "," else "[]"
