"""Writes params.json: a task with all that it is made of, and what is upstream, as JSON.

Objects stand after those that they refer to, the task itself last.  Paths inside the workspace
are relative to it, so a workspace can be moved.  In a chain of more than `DEEPEST` tasks one is
referred to by its folder now and then, or the files of a chain would grow with its square.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hsched.experiment.documents import VERSION
from hsched.experiment.graph import in_order, named_values, parts
from hsched.experiment.identity import identity_of, qualified_name, unfit
from hsched.experiment.partials import partial_folders
from hsched.experiment.plain import found_again, number_of, plain
from hsched.experiment.state import state_of

#: So many tasks in a row stand in one file; what is above is in the files of those tasks.
DEEPEST = 64

#: The pieces of the tasks that were written last: what is upstream of the next ones.
_written: OrderedDict[int, dict[int, str]] = OrderedDict()
_KEPT = 64


def write(config: Any) -> dict[str, Any]:
    """Return what params.json holds for a configuration; see `text`."""
    written: dict[str, Any] = json.loads(text(config))
    return written


def text(config: Any) -> str:
    """Return params.json for a configuration, usually a sealed task.

    What each object adds is kept once it is sealed: to write the next task of a chain is
    to put pieces together.

    Raises:
        WrongDeclaration: a class cannot be found again by another process.
        WrongValue: a value cannot be written.
    """
    state = state_of(config)
    workspace = state.workspace
    head = {
        "version": VERSION,
        "workspace": str(workspace) if workspace else None,
        "folder": _folder(config) if workspace else None,
        "shared-folders": [plain(one, workspace) for one in partial_folders(config)],
        "task": number_of(config),
        "tags": {name: plain(value, workspace) for name, value in config.tags().items()},
        "init-tasks": [number_of(one) for one in state.init_tasks],
    }
    objects = ",\n".join(_pieces(config, workspace).values())
    return json.dumps(head)[:-1] + ',\n"objects": [\n' + objects + "\n]}\n"


def _folder(task: Any) -> str:
    state = state_of(task)
    assert state.folder is not None, "a sealed task has one"
    assert state.workspace is not None, "a sealed task has one"
    return str(state.folder.relative_to(state.workspace))


def _below(config: Any) -> list[Any]:
    """Return what an object refers to: what it is made of, and the task it was made by."""
    marker = state_of(config).task
    return [*([marker] if marker is not None else []), *parts(config)]


def everything(root: Any) -> Iterator[Any]:
    """Yield all that is upstream of a configuration, and the configuration last."""
    return in_order(root, _below, lambda _: False)


def _value_class(cls: type) -> dict[str, str] | None:
    value = cls.__dict__.get("__hsched_value__")
    return None if value is None else found_again(value)


def _own(root: Any) -> Iterator[Any]:
    """Yield what is written for a task and for no other: up to the tasks it depends on."""
    return in_order(root, _below, lambda one: one is not root and _is_upstream(one))


def _is_upstream(config: Any) -> bool:
    state = state_of(config)
    return state.is_task and state.sealed


def _tasks_above(root: Any) -> list[Any]:
    cache = state_of(root).cache
    found: list[Any] | None = cache.get("above")
    if found is None:
        above = {
            id(one): one
            for config in _own(root)
            for one in _below(config)
            if one is not root and _is_upstream(one)
        }
        found = list(above.values())
        if state_of(root).sealed:
            cache["above"] = found
    return found


def _level(root: Any) -> int:
    """Return how deep a task stands in its file: 1 where those above are referred to."""
    for task in in_order(root, _tasks_above, lambda one: "level" in state_of(one).cache):
        above = [state_of(one).cache["level"] for one in _tasks_above(task)]
        deepest = max(above, default=0)
        state_of(task).cache["level"] = 1 if deepest >= DEEPEST else deepest + 1
    return int(state_of(root).cache["level"])


def _pieces(root: Any, workspace: Path | None) -> dict[int, str]:
    """Return all that a file holds, as JSON by number, each after what it refers to."""
    _level(root)
    made: dict[int, dict[int, str]] = {}

    def _inside(task: Any) -> list[Any]:
        return _tasks_above(task) if state_of(task).cache["level"] > 1 else []

    def _is_made(task: Any) -> bool:
        pieces = _written.get(number_of(task))
        if pieces is not None:
            made[number_of(task)] = pieces  # another thread may forget it
        return pieces is not None

    for task in in_order(root, _inside, _is_made):
        pieces: dict[int, str] = {}
        for above in _tasks_above(task):
            number = number_of(above)
            if state_of(task).cache["level"] == 1:
                pieces[number] = json.dumps({"id": number, "folder": _folder(above)})
            else:
                pieces.update(made[number])
        pieces.update((number_of(config), _piece(config, workspace)) for config in _own(task))
        made[number_of(task)] = pieces
    if _is_upstream(root):
        _remember(number_of(root), made[number_of(root)])
    else:
        state_of(root).cache.pop("level", None)  # it may change yet
    return made[number_of(root)]


def _remember(number: int, pieces: dict[int, str]) -> None:
    _written.pop(number, None)
    _written[number] = pieces
    while len(_written) > _KEPT:
        _written.popitem(last=False)


def _piece(config: Any, workspace: Path | None) -> str:
    state = state_of(config)
    known = state.cache.get("json")
    if known is not None:
        return str(known)
    cls = type(config).__hsched_class__
    made: dict[str, Any] = {
        "id": number_of(config),
        **found_again(cls),
        "name": qualified_name(cls),
        "identifier": identity_of(config),
        "task": number_of(state.task) if state.task is not None else None,
        "soft": state.soft or None,
        "meta": state.meta,
        "tags": {name: plain(one, workspace) for name, one in state.tags.items()} or None,
        "init-tasks": [number_of(one) for one in state.init_tasks] or None,
        "generated": list(state.generated) or None,
        "sealed": state.sealed or None,
        "value": _value_class(cls),
    }
    made = {key: value for key, value in made.items() if value is not None}
    made["fields"] = fields = {}
    for name, value in named_values(config):
        try:
            fields[name] = plain(value, workspace)
        except TypeError as error:
            raise unfit(config, name, error) from None
    piece = json.dumps(made)
    if state.sealed:
        state.cache["json"] = piece
    return piece
