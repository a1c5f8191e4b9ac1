"""Tasks of one command line: a line for the shell, exact arguments, lists among them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from hsched.core.names import fault_of_whole
from hsched.errors import WrongUsage
from hsched.tasks import magic
from hsched.tasks.errors import TaskError
from hsched.tasks.multirun import Combination, combinations
from hsched.tasks.naming import checked_name, random_name
from hsched.tasks.planned import Plan, PlannedTask


def of_command(
    line: str,
    runs: Iterable[Combination],
    name: str | None,
    as_group: bool,
    environment: Mapping[str, str],
) -> Plan:
    """Return a task for each of ``runs``: ``line`` with those arguments, exactly.

    As a group they are ``NAME/0``, ``NAME/1``, ...

    Raises:
        WrongUsage: the line is empty, or has magic that is unknown.
        TaskError: a name cannot be, or two are the same.
    """
    if not line.strip():
        raise WrongUsage("COMMAND is empty")
    magic.check(line, environment)
    group = checked_name(name or random_name(), "group") if as_group else None
    tasks = []
    for index, run in enumerate(runs):
        for word in run.arguments:
            magic.check(word, environment)
        full = f"{group}/{index}" if group is not None else _name(name, run.values, environment)
        words = [magic.shell_line(line), *map(magic.quoted, run.arguments)]
        tasks.append(PlannedTask(name=full, shell=" ".join(words)))
    return checked(Plan(tasks=tuple(tasks)))


def arguments_of(arguments: Sequence[str], multirun: bool) -> Iterator[Combination]:
    """Yield the arguments of each task: all as they are, or with ``multirun`` each combination."""
    if multirun:
        return combinations(arguments)
    return iter([Combination(tuple(arguments), {})])


def checked(plan: Plan) -> Plan:
    """Check that the names in ``plan`` differ and can be names.

    Raises:
        TaskError: they do not or cannot.
    """
    seen: set[str] = set()
    for task in plan.tasks:
        fault = fault_of_whole(task.name)
        if fault:
            raise TaskError(f"task name {task.name[:80]!r}: {fault}")
        if task.name in seen:
            raise TaskError(
                f"two tasks are called {task.name}; put what differs into the name, such as "
                "${index} or the key of a list, leave it out, or make a group of them with -g"
            )
        seen.add(task.name)
    return plan


def joined(plans: Iterable[tuple[Plan, bytes]]) -> tuple[Plan, bytes]:
    """Return several plans with their payloads as one."""
    plans = list(plans)
    if len(plans) == 1:
        return plans[0]
    tasks: list[PlannedTask] = []
    payload = b""
    for plan, more in plans:
        first = len(tasks)
        for task in plan.tasks:
            changes: dict[str, Any] = {"after": tuple(_shifted(word, first) for word in task.after)}
            if task.start is not None:
                changes["start"] = task.start + len(payload)
            tasks.append(changed(task, changes))
        payload += more
    return Plan(tasks=tuple(tasks)), payload


def changed(task: PlannedTask, changes: Mapping[str, Any]) -> PlannedTask:
    """Return ``task`` with some of its fields changed."""
    return PlannedTask(**{**task.as_dict(), **changes})


def _shifted(word: str, by: int) -> str:
    condition, _, number = word.partition(":@")
    return f"{condition}:@{int(number) + by}"


def _name(given: str | None, values: Mapping[str, str], environment: Mapping[str, str]) -> str:
    if given is None:
        return random_name()

    def of_environment(name: str) -> str | None:
        return environment.get(name[4:]) if name.startswith("env:") else None

    return checked_name(magic.filled(given, values, of_environment), "task")
