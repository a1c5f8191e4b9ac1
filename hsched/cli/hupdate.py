"""``hupdate``: change what pending jobs ask for."""

from __future__ import annotations

from typing import Any

import click

from hsched.cli import submission, times, words
from hsched.cli.choice import choice_options, chosen
from hsched.cli.common import Command, option, reads, run, scheduler_option
from hsched.client import Client
from hsched.errors import WrongUsage


@click.command(
    "hupdate",
    cls=Command,
    examples=(
        "hupdate 7 --priority 5",
        "hupdate 3-10 --slots 1,1 --time 2h",
        "hupdate last --dep afterok:6",
    ),
)
@choice_options
@submission.priority(default=None, help="Larger starts earlier; without it jobs have 0.")
@option("--slots", metavar="SLOTS", help="How much of each resource, as for hsubmit.")
@submission.min_devices(default=None, help="How many GPUs, as for hsubmit.")
@submission.MEMORY_PER_DEVICE
@option(
    "--time",
    "limit",
    metavar="DURATION",
    callback=reads(lambda word: "none" if word == "none" else times.limit(word)),
    help="Time limit: seconds, 2h, 1:30:00 or 2-12; none takes it away.",
)
@option(
    "-d",
    "--dep",
    "edges",
    multiple=True,
    metavar="ID",
    callback=reads(lambda given: given if given == ("none",) else words.dependencies(given)),
    help="What to wait for, as for hsubmit, in place of what it waited for; none for nothing.",
)
@scheduler_option
def command(
    scheduler: str | None,
    limit: Any,
    edges: tuple[str, ...],
    memory: tuple[int, float] | None,
    **options: Any,
) -> None:
    """Change what pending jobs ask for.

    JOB is an id, a range such as 3-10, last, or a name. What is not mentioned stays. A job
    that is not pending is an error; where a word means several, the pending ones count.
    """
    choice = chosen(options)
    if limit == "none":
        options["no_time_limit"] = True
    elif limit is not None:
        options["time_limit"] = limit
    if edges:
        options["dependencies"] = () if edges == ("none",) else edges
    options |= submission.memory_fields(memory)
    changes = {name: value for name, value in options.items() if value is not None}
    if not changes:
        raise WrongUsage(
            "say what to change: --priority, --slots, --time, --dep, --min-devices or "
            "--memory-per-device"
        )
    with Client(scheduler) as client:
        client.update(**choice, **changes)


def main() -> None:
    """Be the program."""
    run(command)
