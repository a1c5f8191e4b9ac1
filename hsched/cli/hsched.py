"""``hsched``: all commands under one name; each is imported when it is the one."""

from __future__ import annotations

import copy
import importlib
from typing import TYPE_CHECKING

import click

from hsched.cli.common import Command, run

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

#: The commands in the order of ``--help``: the module and the first sentence of its help,
#: so that listing them imports none.
TABLE: dict[str, tuple[str, str]] = {
    "create": (
        "tasks.create",
        "Queue COMMAND, or what SCRIPT.py exports, as tasks, and print their names.",
    ),
    "run": ("tasks.run", "Start a scheduler and stay in the foreground until it ends."),
    "test": ("tasks.test", "Say whether the scheduler runs, or a task, and with which process id."),
    "exit": (
        "tasks.exit",
        "End all tasks and jobs with everything they have started, and then the scheduler.",
    ),
    "list": ("tasks.list", "List the tasks of this run, waiting, running and done, one a line."),
    "watch": (
        "tasks.watch",
        "Print how live tasks stand, and each change, until all of them are done.",
    ),
    "kill": ("tasks.kill", "End tasks, and return when they and all they started are gone."),
    "cancel": (
        "tasks.cancel",
        "Keep waiting tasks from starting, until `hsched resume`; others go on past them.",
    ),
    "resume": (
        "tasks.resume",
        "Undo `hsched cancel`: let tasks start again when there is room.",
    ),
    "remove": (
        "tasks.remove",
        "Take tasks off the list of `hsched list`; those that wait leave the queue.",
    ),
    "set": (
        "tasks.set",
        "Change an attribute of waiting tasks, such as priority, slots or min_devices.",
    ),
    "clean": ("tasks.clean", "Remove the folders of runs that are over, with their logs."),
    "start": ("hstart", "Start a scheduler with the slots that SPEC lists, such as 6,2,32."),
    "submit": ("hsubmit", "Queue COMMAND until SLOTS are free, and print its id."),
    "exec": (
        "hrun",
        "Wait until SLOTS are free, then run COMMAND here, and return its exit status.",
    ),
    "jobs": ("hjobs", "List live jobs, one a line, or those that KIND and JOB choose."),
    "hold": ("hhold", "Keep pending jobs from starting until `hrelease`."),
    "release": ("hrelease", "Let held jobs start again."),
    "update": ("hupdate", "Change what pending jobs ask for."),
    "suspend": ("hsuspend", "Stop running jobs for a while; they keep their slots."),
    "keys": (
        "keys",
        "Make the keys that schedulers need on other addresses than loopback, and list them.",
    ),
    "cont": ("hresume", "Let suspended jobs continue."),
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
    "top": (
        "top.command",
        "Show the queue, the slots and what jobs use on the whole screen, as they change.",
    ),
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
    "service": (
        "service",
        "Let systemd start a scheduler, now and whenever you log in or the machine starts.",
    ),
    "doctor": (
        "doctor",
        "Print what a bug report needs: versions, paths, kernel, NVML, disk and scheduler.",
    ),
    "experiments": (
        "experiments",
        "List experiments, show the tasks of one, or clean up after them.",
    ),
    "web": (
        "web",
        "Show the scheduler in a browser, live, until Ctrl-C: queue, slots, GPUs, logs, timeline.",
    ),
    "timeline": ("timeline", "Draw who held which slot when, one row a slot, and who waited."),
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

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands, and none of them is imported for it, or the options."""
        from click.shell_completion import CompletionItem

        names = [name for name in TABLE if name.startswith(incomplete)]
        found = [CompletionItem(name, help=TABLE[name][1]) for name in names]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, which imports none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in TABLE.items()])


@click.group(
    "hsched",
    cls=Umbrella,
    no_args_is_help=False,
    examples=(
        "hsched create 'python train.py' -n train",
        "hsched jobs running",
        "hsched submit 2 make",
        "hsched simulate trace.swf --slots 128",
    ),
)
def command() -> None:
    """Run tasks and batch jobs on this workstation: every command under one name.

    `hsched submit` is hsubmit, and so with the others. Where a name has two meanings it is
    about tasks here: `hsched kill` takes names, groups and patterns as well as ids, `hsched
    resume` undoes `hsched cancel`, and hresume is `hsched cont`. Each has its own --help.
    """


def main() -> None:
    """Be the program."""
    run(command)
