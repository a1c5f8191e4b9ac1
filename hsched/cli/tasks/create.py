"""``hsched create``: queue a command, or what a script exports, as tasks."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from hsched.cli import submission
from hsched.cli.common import Command, put, run
from hsched.cli.tasks.common import environment, note, scheduler_option, with_scheduler
from hsched.client import Client
from hsched.errors import WrongUsage
from hsched.tasks import commands
from hsched.tasks.memory import memory
from hsched.tasks.planned import Plan
from hsched.wire.message import raw

if TYPE_CHECKING:
    from hsched.client import Job

_PROGRAM = "hsched create"


@click.command(
    _PROGRAM,
    cls=Command,
    examples=(
        'hsched create "python train.py" --task-name train --min-devices 2 -M 20000',
        'hsched create "python train.py" -- --lr 0.3',
        "hsched create \"python train.py\" -m -n 'lr-${lr}' -- --lr [0.1,0.3]",
        "hsched create task.py",
        "hsched create \"python train.py\" -- hydra.run.dir='${run_dir}/${task_name}'",
    ),
)
@click.argument("what", metavar="COMMAND|SCRIPT.py")
@click.argument("arguments", nargs=-1, metavar="[-- ARG...]")
@click.option(
    "-n",
    "--task-name",
    "name",
    metavar="NAME",
    help="Name the task, and the folder of its logs; else it gets 5 letters and digits. "
    "With -m, ${KEY} stands for a list's value and ${index} for the number of the task.",
)
@submission.priority("-p", default=None, help="Larger starts earlier; by default 0.")
@click.option(
    "-M",
    "--requires-memory-per-device",
    "memory_word",
    metavar="MIB",
    help="Share devices: ask for that much memory of each, in MiB (20000), as a fraction of "
    "what it has (0.5), or with a unit (20G). Without it devices are not shared.",
)
@submission.min_devices(
    "-c",
    default=None,
    help="How many GPUs it needs; by default 1. Without a GPU the machine is the one device.",
)
@click.option(
    "--slots",
    metavar="SLOTS",
    help="Ask for these slots in place of devices, as hsubmit does: 2,1,8 or cores=2,mem=8G.",
)
@click.option(
    "-m",
    "--multirun",
    is_flag=True,
    help="Each ARG of the form [a,b] or KEY=[a,b] is a list: a task for each combination.",
)
@click.option(
    "-g",
    "--as-group",
    is_flag=True,
    help="Make a group called NAME of the tasks: NAME/0, NAME/1, ..., or NAME/TASK.",
)
@scheduler_option
def command(
    scheduler: str | None,
    what: str,
    arguments: tuple[str, ...],
    name: str | None,
    multirun: bool,
    as_group: bool,
    **asked: Any,
) -> None:
    """Queue COMMAND, or what SCRIPT.py exports, as tasks, and print their names.

    COMMAND is one word, a line for the shell; each ARG is added to it exactly as it is.
    SCRIPT.py is run with the ARGs, and ends with hsched.export(task). Where no scheduler
    runs, one is started. ${run_dir}, ${task_name}, ${fullname}, ${fullpath}, ${device_ids}
    and ${env:VAR} are replaced when a task starts.
    """
    runs = commands.arguments_of(arguments, multirun)
    if is_script(what):
        from hsched.tasks.scripts import gather  # brings in subprocess, for scripts alone

        found = [gather(what, one.arguments, _tell) for one in runs]
        plan, payload = commands.joined(found)
        plan = _renamed(plan, name, as_group)
    else:
        payload = b""
        plan = commands.of_command(what, runs, name, as_group, environment())
    changes = _changes(asked)
    tasks = [commands.changed(task, changes) for task in plan.tasks] if changes else plan.tasks
    plan = commands.checked(Plan(tasks=tuple(tasks)))
    with Client(scheduler) as client:
        with_scheduler(client, lambda: _submit(client, plan, payload))
    put(task.name for task in plan.tasks)


def is_script(what: str) -> bool:
    """Return whether one word means a Python file to run, and no command.

    Raises:
        WrongUsage: it looks like one that is not there.
    """
    if not what.endswith(".py") or any(c in what for c in " \t\n;|&"):
        return os.path.isfile(raw(what)) and what.endswith(".py")
    if not os.path.exists(raw(what)):
        raise WrongUsage(f"{what}: there is no such file")
    return True


def _submit(client: Client, plan: Plan, payload: bytes) -> list[Job]:
    from hsched.tasks.submission import submit_plan

    return submit_plan(client, plan, payload)


def _changes(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was asked for by options, as fields of each task."""
    changes = {
        field: asked[field]
        for field in ("priority", "min_devices", "slots")
        if asked[field] is not None
    }
    if asked["memory_word"] is not None:
        wanted = memory(asked["memory_word"])
        changes |= {"memory": wanted.size, "memory_fraction": wanted.fraction}
    devices = {"min_devices", "memory"} & changes.keys()
    if "slots" in changes and devices:
        raise WrongUsage("give either --slots, or --min-devices and --requires-memory-per-device")
    return {**changes, "slots": None} if devices else changes


def _renamed(plan: Plan, name: str | None, as_group: bool) -> Plan:
    """Return a script's tasks with the name, or in the group, that an option gave."""
    from hsched.tasks.naming import checked_name, random_name

    if as_group:
        group = checked_name(name or random_name(), "group")
        names: Sequence[str] = [f"{group}/{task.name}" for task in plan.tasks]
    elif name is None:
        return plan
    elif len(plan.tasks) == 1:
        names = [checked_name(name, "task")]
    else:
        raise WrongUsage(
            f"the script exported {len(plan.tasks)} tasks, and -n names one; "
            "-g makes a group of them"
        )
    renamed = zip(plan.tasks, names, strict=True)
    return Plan(tasks=tuple(commands.changed(task, {"name": one}) for task, one in renamed))


def _tell(text: str) -> None:
    note(_PROGRAM, text)


def main() -> None:
    """Be the program."""
    run(command)
