"""``hkill``: end jobs, or send them a signal."""

from __future__ import annotations

import click

from hsched.cli.common import Command, reads, run, scheduler_option, state_option
from hsched.cli.words import seconds, signal_number
from hsched.client import Client
from hsched.errors import WrongUsage

_TERM, _KILL = 15, 9


@click.command(
    "hkill",
    cls=Command,
    examples=("hkill 7", "hkill 3-10 train", "hkill --signal USR1 7", "hkill --state pending"),
)
@click.argument("words", nargs=-1, metavar="[JOB]...")
@click.option("-k", "--kill", is_flag=True, help="Send KILL at once, without TERM and grace.")
@click.option(
    "-s",
    "--signal",
    metavar="SIGNAL",
    callback=reads(signal_number),
    help="Send this signal. One other than TERM and KILL changes nothing else.",
)
@click.option(
    "--grace",
    metavar="SECONDS",
    callback=reads(seconds),
    help="Time between TERM and KILL; by default what the job was submitted with.",
)
@click.option("-a", "--all", "everything", is_flag=True, help="All live jobs.")
@state_option
@click.option(
    "-f", "--force", is_flag=True, help="Accepted from older scripts; no job needs it to be ended."
)
@scheduler_option
def command(  # noqa: PLR0913 # one argument an option, as click calls it
    scheduler: str | None,
    words: tuple[str, ...],
    kill: bool,
    signal: int | None,
    grace: float | None,
    everything: bool,
    states: tuple[str, ...],
    force: bool,
) -> None:
    """End jobs, and return when they and all they started are gone.

    JOB is an id, a range such as 3-10, or a name. Pending jobs leave the queue. Running
    ones get TERM, and KILL when the grace is over.
    """
    if kill and signal is not None:
        raise WrongUsage("give either --kill or --signal, not both")
    if bool(words) == everything and not states:
        raise WrongUsage("say which jobs: ids, names, --all or --state")
    with Client(scheduler) as client:
        client.kill(
            words,
            everything=not words,
            states=states,
            signal=_KILL if kill else signal or _TERM,
            grace=grace,
        )


def main() -> None:
    """Be the program."""
    run(command)
