"""What hsubmit and hrun have in common: how a job is typed, and its options.

An option that differs a little from command to command is a function that makes it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeAlias

import click

from hsched.cli import times, words
from hsched.cli.common import Command, option, reads
from hsched.errors import WrongUsage

Option: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]


class Submit(Command):
    """Options may stand before and after SLOTS, and end where COMMAND begins."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Part ``args`` at SLOTS and COMMAND, and let click read the options."""
        typed = words.split_submission(args, self._takes_value(ctx))
        operands = [] if typed.slots is None else ["--", typed.slots, *typed.command]
        return super().parse_args(ctx, [*typed.options, *operands])

    def _takes_value(self, ctx: click.Context) -> dict[str, bool]:
        options = [one for one in self.get_params(ctx) if isinstance(one, click.Option)]
        return {name: not one.is_flag for one in options for name in one.opts}


DEPENDENCIES = option(
    "-d",
    "--dep",
    "dependencies",
    multiple=True,
    metavar="ID",
    callback=reads(words.dependencies),
    help="Wait for these jobs, with commas between them; repeatable. ID alone waits for the "
    "job's end, afterok:ID for its success, afternotok:ID for its failure, after:ID for its "
    "start. A condition also holds for the ids that follow it. ID may be last or last~2, and "
    "name:NAME or label:WORD for all live jobs that are called so.",
)

ENVIRONMENT = option(
    "-v",
    "--env",
    "--var",
    "environment",
    multiple=True,
    metavar="NAME=VALUE",
    callback=reads(words.environment),
    help="Set a variable in the job's environment; repeatable.",
)

SHELL = option(
    "-c", "--shell", "shell", metavar="LINE", help="Run LINE by /bin/sh -c, in place of COMMAND."
)

HOLD = option("--hold", is_flag=True, help="Queue it held: it waits for `hrelease`.")

BEGIN = option(
    "--begin",
    "begin_at",
    metavar="TIME",
    callback=reads(lambda word: times.moment(word, time.time())),
    help="Start it no earlier than TIME: 14:30, 2026-11-21, 2026-11-21T14:30 or +2h.",
)

TIME = option(
    "--time",
    "time_limit",
    metavar="DURATION",
    callback=reads(times.limit),
    help="Longest run: seconds, 90s, 2h, 1h30m, 1:30:00 or 2-12 (days-hours). Then it is ended.",
)

WARN = option(
    "--warn",
    metavar="SIGNAL@TIME",
    callback=reads(times.warning),
    help="Send SIGNAL that long before the time limit, such as USR1@120.",
)

JOB_NAME = option("--job-name", "name", metavar="NAME", help="Name the job.")

LABEL = option("--label", "labels", multiple=True, metavar="WORD", help="Label it; repeatable.")

GRACE = option(
    "--grace",
    metavar="SECONDS",
    default="5",
    callback=reads(words.seconds),
    help="Time between TERM and KILL when the job is ended; by default 5.",
)

LEAVE_CHILDREN = option(
    "--leave-children",
    is_flag=True,
    help="Let processes that outlive the job's first one go on; its slots are free.",
)

JOBSERVER = option(
    "--jobserver",
    is_flag=True,
    help="Let make, and what speaks its jobserver, share the job's slots of the first resource "
    "(of cores, if there are any): no more than that many recipes run at once.",
)

ENGINE_OPTION = option(
    "--engine-option",
    "engine_options",
    multiple=True,
    metavar="NAME=VALUE",
    help="On a Slurm cluster: an option for sbatch or srun, such as partition=gpu; repeatable.",
)

ON_DONE = option(
    "--on-done",
    metavar="LINE",
    help="Once the job is done, however, run LINE by /bin/sh -c, as a job of its own without "
    "slots; HSCHED_DONE_ID, HSCHED_DONE_OUTCOME and others tell it what has ended.",
)


def priority(
    *short: str,
    default: int | None = 0,
    help: str = "Larger starts earlier; by default 0, and jobs of equal priority go by their ids.",
) -> Option:
    """Return ``--priority``; ``default`` is what the command gets where it is not given."""
    return option(
        *short, "--priority", "priority", type=int, default=default, metavar="N", help=help
    )


def min_devices(
    *short: str,
    default: int | None = 0,
    help: str = "N different GPUs: with --memory-per-device shared ones, else whole ones.",
) -> Option:
    """Return ``--min-devices``, as :func:`priority`."""
    return option(
        *short,
        "--min-devices",
        "min_devices",
        type=click.IntRange(min=0),
        default=default,
        metavar="N",
        help=help,
    )


MEMORY_PER_DEVICE = option(
    "--memory-per-device",
    "memory",
    metavar="SIZE",
    callback=reads(lambda word: _memory(word)),
    help="Share each GPU with others, and claim SIZE of its memory: 20G, a number of MiB such "
    "as 20000, or a part such as 0.5. Without --min-devices that is one GPU; where there is "
    "none, the machine itself is the device.",
)


def _memory(word: str) -> tuple[int, float]:
    from hsched.core.spec import parse_memory  # slow to import, and needed by few

    return parse_memory(word)


def memory_fields(memory: tuple[int, float] | None) -> dict[str, Any]:
    """Return the fields of a job that ``--memory-per-device`` fills."""
    return {} if memory is None else {"device_memory": memory[0], "device_share": memory[1]}


def warning_fields(warn: times.Ahead | None, time_limit: float | None) -> dict[str, Any]:
    """Return the fields of a job that ``--warn`` fills.

    Raises:
        WrongUsage: there is no time limit that could be announced.
    """
    if warn is None:
        return {}
    if time_limit is None:
        raise WrongUsage("--warn needs --time: a warning comes before that limit")
    return {"warn_signal": warn.signal, "warn_before": warn.before_s}
