"""From tasks and groups to a plan: full names, edges between tasks, payloads."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hsched.core.names import fault_of_whole
from hsched.errors import WrongUsage
from hsched.tasks import magic
from hsched.tasks.errors import TaskError
from hsched.tasks.groups import Node
from hsched.tasks.planned import Plan, PlannedTask
from hsched.tasks.task import ProcTask

#: Two stages with more edges between them than this are joined by a task of its own.
_MANY_EDGES = 1000


@dataclass(slots=True)
class Compiled:
    """A plan, and the objects that its functions and hooks come from."""

    plan: Plan
    payload: bytes = b""


@dataclass(slots=True)
class _Ends:
    """The tasks of a node that wait for nobody in it, and those that nobody in it waits for."""

    first: list[int]
    last: list[int]


@dataclass(slots=True)
class _Compiler:
    environment: Mapping[str, str]
    tasks: list[PlannedTask] = field(default_factory=list)
    #: The words of dependencies of each task, in order.
    after: list[dict[str, None]] = field(default_factory=list)
    payload: bytearray = field(default_factory=bytearray)
    names: dict[str, None] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)

    def add(self, node: Node, groups: tuple[str, ...]) -> _Ends:
        """Take in a task, or a group with all that is in it."""
        if id(node) in self.seen:
            raise TaskError(f"{node.name or 'a group'} stands twice in what was exported")
        self.seen.add(id(node))
        if isinstance(node, ProcTask):
            number = self._add_task(node, groups)
            return _Ends([number], [number])
        node.check()
        inside = (*groups, node.name) if node.name else groups
        ends = {id(one): self.add(one, inside) for one in node.tasks}
        condition = "afterany" if node.on_failure == "continue" else "afterok"
        before, behind = set(), set()
        for one, other in node.edges:
            self._join(ends[id(one)].last, ends[id(other)].first, condition, inside)
            behind.add(id(one))
            before.add(id(other))
        return _Ends(
            [n for one, end in ends.items() if one not in before for n in end.first],
            [n for one, end in ends.items() if one not in behind for n in end.last],
        )

    def _join(
        self, last: list[int], first: list[int], condition: str, groups: tuple[str, ...]
    ) -> None:
        """Let each of ``first`` wait for each of ``last``."""
        if min(len(last), len(first)) > 1 and len(last) * len(first) > _MANY_EDGES:
            name = "/".join((*groups, f"join-{len(self.tasks)}"))
            barrier = self._append(PlannedTask(name=name, argv=("true",), min_devices=0))
            self.after[barrier] = dict.fromkeys(f"{condition}:@{one}" for one in last)
            last, condition = [barrier], "afterok"
        for number in first:
            self.after[number].update((f"{condition}:@{one}", None) for one in last)

    def _add_task(self, task: ProcTask, groups: tuple[str, ...]) -> int:
        name = "/".join((*groups, task.name))
        try:
            return self._append(self._planned(task, name))
        except TaskError:
            raise
        except WrongUsage as error:
            raise TaskError(f"task {name}: {error}") from None

    def _append(self, planned: PlannedTask) -> int:
        fault = fault_of_whole(planned.name)
        if fault:
            raise TaskError(f"task name {planned.name[:80]!r}: {fault}")
        if planned.name in self.names:
            raise TaskError(
                f"two tasks are called {planned.name}; names must differ, also of groups"
            )
        self.names[planned.name] = None
        self.tasks.append(planned)
        self.after.append({})
        return len(self.tasks) - 1

    def _planned(self, task: ProcTask, name: str) -> PlannedTask:
        task.check()
        memory = task.memory
        common: dict[str, Any] = {
            "name": name,
            "priority": task.priority,
            "min_devices": task.min_devices,
            "memory": memory.size,
            "memory_fraction": memory.fraction,
            "slots": task.slots,
            "retries": task.retries,
            "time_limit": task.time_limit,
            "grace": task.grace,
        }
        self._check_magic(task)
        command = task.cmd_or_func
        if callable(command) or task.has_hooks():
            from hsched.tasks.payload import pickled  # brings in cloudpickle

            start = len(self.payload)
            self.payload += pickled(task)
            return PlannedTask(**common, start=start, length=len(self.payload) - start)
        return _plain(command, task.env, common)

    def _check_magic(self, task: ProcTask) -> None:
        command = task.cmd_or_func
        texts = [command] if isinstance(command, str) else () if callable(command) else command
        used = [text for text in (*texts, *task.env.values()) if magic.used_in(text)]
        for text in used:
            magic.check(text, {*self.environment, *task.env})


def _plain(
    command: str | Sequence[str], environment: Mapping[str, str], common: dict[str, Any]
) -> PlannedTask:
    """Return a task of which nothing of ours runs: words as they are, or a line for the shell."""
    if not environment and isinstance(command, str):
        return PlannedTask(**common, shell=magic.shell_line(command))
    plain = {key: value for key, value in environment.items() if not magic.used_in(value)}
    prefix = "".join(
        f"export {key}={magic.quoted(value)}; "
        for key, value in environment.items()
        if key not in plain
    )
    common["environment"] = plain or None
    if isinstance(command, str):
        return PlannedTask(**common, shell=prefix + magic.shell_line(command))
    words = tuple(command)
    if prefix or any(map(magic.used_in, words)):
        line = " ".join(map(magic.quoted, words))
        return PlannedTask(**common, shell=f"{prefix}exec {line}")
    return PlannedTask(**common, argv=words)


def compiled(exported: Iterable[Node], environment: Mapping[str, str] = os.environ) -> Compiled:
    """Return the plan of all that was exported.

    ``environment`` is what the tasks will inherit: ``${env:VAR}`` must be there.

    Raises:
        TaskError: something in it cannot be; nothing was submitted.
    """
    compiler = _Compiler(environment)
    try:
        for node in exported:
            compiler.add(node, ())
    except RecursionError:
        raise TaskError("groups stand in groups too deep; give tasks a graph instead") from None
    tasks = tuple(
        PlannedTask(**{**task.as_dict(), "after": tuple(after)}) if after else task
        for task, after in zip(compiler.tasks, compiler.after, strict=True)
    )
    return Compiled(Plan(tasks=tasks), bytes(compiler.payload))
