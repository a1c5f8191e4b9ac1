"""``hsched web``: the scheduler in a browser, as long as this command runs."""

from __future__ import annotations

import click

from hsched.cli.common import Command, put, run, scheduler_option
from hsched.errors import HschedError


@click.command("hsched web", cls=Command, examples=("hsched web", "hsched web -n gpu --port 8765"))
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    metavar="PORT",
    help="The port on 127.0.0.1; by default one that is free.",
)
@scheduler_option
def command(scheduler: str | None, port: int) -> None:
    """Show the scheduler in a browser, live, until Ctrl-C: queue, slots, GPUs, logs, timeline.

    The address is printed. It holds a token: who has it can hold, release and kill jobs,
    so tell it to nobody. Only this machine can reach it; from elsewhere take a tunnel.
    """
    import asyncio
    import signal

    try:
        from hsched.web import server
    except ImportError as error:
        if (error.name or "").partition(".")[0] != "aiohttp":
            raise
        raise HschedError(
            "it needs aiohttp, which is not installed: pip install 'hsched[web]'"
        ) from error
    number = asyncio.run(server.serve(scheduler, port, lambda address: put([address])))
    # As if the signal had met its default action, which is what shells look at.
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)


def main() -> None:
    """Be the program."""
    run(command)
