"""From params.json to the objects of a running task, and nothing that describes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hsched.experiment import running
from hsched.experiment.instances import complete, empty
from hsched.experiment.modules import find_class

_CONTAINERS: dict[str, type] = {"tuple": tuple, "set": set, "frozenset": frozenset}


class Loaded:
    """A task that is ready to run.

    Attributes:
        task: the object, with `__taskdir__`, `__maintaskdir__` and `__tags__`.
        init_tasks: the lightweight tasks that run before it, in order; they share its objects.
    """

    __slots__ = ("init_tasks", "task")

    def __init__(self, task: Any, init_tasks: list[Any]) -> None:
        self.task, self.init_tasks = task, init_tasks

    def execute(self) -> None:
        """Run the init tasks and then the task, here and now."""
        for one in self.init_tasks:
            one.execute()
        self.task.execute()


def restore(data: dict[str, Any], folder: Path) -> Loaded:
    """Return the task of params.json, which from now on is the one that runs here.

    Each object is built with ``__init__()``, gets its attributes and then, after those it is
    made of, ``__post_init__()``.

    Args:
        data: what `serialize.write` made.
        folder: the task's folder, wherever the workspace has been moved.

    Raises:
        ImportError: a module or class is not there any more.
    """
    workspace = workspace_of(data, folder)
    by_id = {entry["id"]: entry for entry in data["objects"]}
    wanted = _reachable(by_id, [data["task"], *data["init-tasks"]])
    running.task = True  # from here on a class that is called builds objects
    made = {i: empty(find_class(by_id[i]), by_id[i]["identifier"]) for i in by_id if i in wanted}
    task = running.task = made[data["task"]]
    values = Values(workspace, made.__getitem__)
    _equip(task, data, folder, values)
    for number, one in made.items():
        fields = by_id[number]["fields"].items()
        complete(one, {name: values.read(value) for name, value in fields})
    for one in made.values():
        one.__post_init__()
    return Loaded(task, [made[number] for number in data["init-tasks"]])


def _equip(task: Any, data: dict[str, Any], folder: Path, values: Values) -> None:
    main = data.get("main-folder")
    task.__taskdir__ = folder
    task.__maintaskdir__ = folder if main is None else values.read(main)
    task.__tags__ = {name: values.read(value) for name, value in data["tags"].items()}


def workspace_of(data: dict[str, Any], folder: Path) -> Path:
    """Return the workspace that a task's folder lies in now."""
    if data["folder"] is None:
        return folder
    return folder.absolute().parents[len(Path(data["folder"]).parts) - 1]


def _reachable(by_id: dict[int, Any], roots: list[int]) -> set[int]:
    """Return the objects that are values of others; a task is not, for being waited for."""
    wanted, stack = set(roots), list(roots)
    while stack:
        for number in _references(by_id[stack.pop()]["fields"].values()):
            if number not in wanted:
                wanted.add(number)
                stack.append(number)
    return wanted


def _references(values: Any) -> Iterator[int]:
    for value in values:
        if isinstance(value, list):
            yield from _references(value)
        elif isinstance(value, dict):
            if value["type"] == "python":
                yield value["value"]
            elif "items" in value:
                yield from _references(value["items"])


class Values:
    """Reads values of params.json.

    Args:
        workspace: where relative paths lead from.
        objects: gives the object or configuration of a number.
    """

    __slots__ = ("_objects", "_workspace")

    def __init__(self, workspace: Path, objects: Callable[[int], Any]) -> None:
        self._workspace, self._objects = workspace, objects

    def read(self, value: Any) -> Any:
        """Return the value that was written."""
        if isinstance(value, list):
            return [self.read(one) for one in value]
        if not isinstance(value, dict):
            return value
        kind = value["type"]
        if kind == "python":
            return self._objects(value["value"])
        if kind == "path":
            path = Path(value["value"])
            return self._workspace / path if value.get("base") == "workspace" else path
        if kind == "dict":
            return {self.read(key): self.read(one) for key, one in value["items"]}
        if kind in _CONTAINERS:
            return _CONTAINERS[kind](self.read(one) for one in value["items"])
        return _scalar(kind, value)


def _scalar(kind: str, value: dict[str, Any]) -> Any:
    if kind == "int":
        return int(value["value"], 16)
    if kind == "float":
        return float(value["value"])
    if kind == "bytes":
        return bytes.fromhex(value["value"])
    if kind == "enum":
        cls: Any = find_class(value["class"])
        return cls[value["value"]] if isinstance(value["value"], str) else cls(value["value"])
    raise ValueError(f"params.json has a value of type {kind!r}; it is of a newer hsched")
