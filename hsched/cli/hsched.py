"""``hsched``: all commands under one name; each is imported when it is the one."""

from __future__ import annotations

import copy
import importlib

import click

from hsched.cli.common import Command, run

#: The commands in the order of ``--help``: the module and the first sentence of its help,
#: so that listing them imports none.
TABLE: dict[str, tuple[str, str]] = {
    "start": ("hstart", "Start a scheduler with the slots that SPEC lists, such as 6,2,32."),
    "submit": ("hsubmit", "Queue COMMAND until SLOTS are free, and print its id."),
    "jobs": ("hjobs", "List live jobs, one a line, or those that KIND and JOB choose."),
    "kill": ("hkill", "End jobs, and return when they and all they started are gone."),
    "hold": ("hhold", "Keep pending jobs from starting until `hrelease`."),
    "release": ("hrelease", "Let held jobs start again."),
    "update": ("hupdate", "Change what pending jobs ask for."),
    "suspend": ("hsuspend", "Stop running jobs for a while; they keep their slots."),
    "resume": ("hresume", "Let suspended jobs continue."),
    "rerun": ("hrerun", "Submit jobs again that are done, and print the new ids."),
    "adopt": (
        "hadopt",
        "Let the process PID hold SLOTS until it ends, and print the id of the job it becomes.",
    ),
    "wait": (
        "hwait",
        "Wait until jobs are done, and return their exit status, of several the largest.",
    ),
    "log": ("hlog", "Print what a job has written to standard output, live or done."),
    "nslots": (
        "hnslots",
        "Print the number of slots of each resource, such as 6,2,32, or change it.",
    ),
    "gpus": ("gpus", "List the GPUs: memory in MiB, what jobs claim of it, and who uses it."),
    "status": (
        "hstatus",
        "List the schedulers that run: slots in total, free and used; jobs in total and by state.",
    ),
    "stop": ("hstop", "Stop a scheduler, and return when it is gone; logs and history stay."),
    "experiments": (
        "experiments",
        "List experiments, show the tasks of one, or clean up after them.",
    ),
    "simulate": (
        "simulate",
        "Run the scheduler over a trace in virtual time, and print how well it did.",
    ),
}


class Umbrella(Command, click.Group):
    """A group whose commands are in :data:`TABLE`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names."""
        return list(TABLE)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command called ``cmd_name``, with errors and help under that name."""
        if cmd_name not in TABLE:
            return None
        found = importlib.import_module(f"hsched.cli.{TABLE[cmd_name][0]}").command
        assert isinstance(found, Command)
        named = copy.copy(found)
        named.program = f"{self.program} {cmd_name}"
        return named

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, which imports none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in TABLE.items()])


@click.group(
    "hsched",
    cls=Umbrella,
    no_args_is_help=False,
    examples=(
        "hsched jobs running",
        "hsched submit 2 make",
        "hsched simulate trace.swf --slots 128",
    ),
)
def command() -> None:
    """Run batch jobs on this workstation: every command under one name.

    `hsched submit` is hsubmit, and so with the others; each has its own --help.
    """


def main() -> None:
    """Be the program."""
    run(command)
