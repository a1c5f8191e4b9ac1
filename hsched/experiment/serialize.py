"""params.json: a task with all that it is made of, and what is upstream, as JSON.

Objects stand after those that they refer to, the task itself last.  Paths inside the workspace
are relative to it, so a workspace can be moved.  Reading it back is `restore` (objects of a
running task) and `reload` (configurations).
"""

from __future__ import annotations

import itertools
import json
import math
from collections import OrderedDict
from enum import Enum, Flag
from pathlib import Path, PurePath
from typing import Any

from hsched.experiment.errors import WrongDeclaration
from hsched.experiment.graph import in_order, named_values, parts
from hsched.experiment.identity import identifier, qualified_name
from hsched.experiment.origin import module_file, module_name, words_of
from hsched.experiment.state import is_config, state_of

VERSION = 1

#: Python writes longer integers in hexadecimal only.
_LONG = 1 << 1024

_numbers = itertools.count(1)

#: What is upstream of the tasks written last, as (number -> JSON); a chain needs the newest.
_upstream: OrderedDict[int, dict[int, str]] = OrderedDict()
_KEPT = 64


def write(config: Any) -> dict[str, Any]:
    """Return what params.json holds for a configuration; see `text`."""
    written: dict[str, Any] = json.loads(text(config))
    return written


def text(config: Any) -> str:
    """Return params.json for a configuration, usually a sealed task.

    What each object adds is kept once it is sealed, so a task in a long chain costs no more than
    putting those pieces together.

    Raises:
        WrongDeclaration: a class cannot be found again by another process.
        TypeError: a value cannot be written.
    """
    state = state_of(config)
    workspace = state.workspace
    head = {
        "version": VERSION,
        "workspace": str(workspace) if workspace else None,
        "folder": _relative(state.folder, workspace) if state.folder and workspace else None,
        "task": _number(config),
        "tags": {name: plain(value, workspace) for name, value in config.tags().items()},
        "init-tasks": [_number(one) for one in state.init_tasks],
    }
    objects = ",\n".join(_pieces(config, workspace).values())
    return json.dumps(head)[:-1] + ',\n"objects": [\n' + objects + "\n]}\n"


def _number(config: Any) -> int:
    cache = state_of(config).cache
    if "number" not in cache:
        cache["number"] = next(_numbers)
    return int(cache["number"])


def _upstream_of(config: Any) -> list[Any]:
    state = state_of(config)
    return [*([state.task] if state.task is not None else []), *parts(config)]


def _pieces(root: Any, workspace: Path | None) -> dict[int, str]:
    """Return all objects below a configuration as JSON, each after what it refers to."""
    known = _upstream.get(_number(root))
    if known is not None:
        _upstream.move_to_end(_number(root))
        return known
    pieces: dict[int, str] = {}
    below = in_order(root, _upstream_of, lambda one: one is not root and _kept(one))
    for config in below:
        for one in _upstream_of(config):
            if _number(one) not in pieces and _kept(one):
                pieces.update(_upstream[_number(one)])
        pieces[_number(config)] = _piece(config, workspace)
    if state_of(root).is_task and state_of(root).sealed:
        _upstream[_number(root)] = pieces
        while len(_upstream) > _KEPT:
            _upstream.popitem(last=False)
    return pieces


def _kept(config: Any) -> bool:
    return state_of(config).is_task and _number(config) in _upstream


def _piece(config: Any, workspace: Path | None) -> str:
    state = state_of(config)
    known = state.cache.get("json")
    if known is not None:
        return str(known)
    cls = type(config).__hsched_class__
    made: dict[str, Any] = {
        "id": _number(config),
        **found_again(cls),
        "name": qualified_name(cls),
        "identifier": identifier(config).hex(),
        "task": _number(state.task) if state.task is not None else None,
        "soft": state.soft or None,
        "meta": state.meta,
        "tags": {name: plain(one, workspace) for name, one in state.tags.items()} or None,
        "init-tasks": [_number(one) for one in state.init_tasks] or None,
        "generated": list(state.generated) or None,
    }
    made = {key: value for key, value in made.items() if value is not None}
    made["fields"] = {name: plain(value, workspace) for name, value in named_values(config)}
    piece = json.dumps(made)
    if state.sealed:
        state.cache["json"] = piece
    return piece


def found_again(cls: type) -> dict[str, str]:
    """Return how another process finds a class: module, name, and a file where it has to.

    Raises:
        WrongDeclaration: it cannot.
    """
    name, file = module_name(cls), module_file(cls)
    if "<locals>" in cls.__qualname__:
        raise _lost(cls, "is defined within a function; move it to the level of the module")
    if name == "__main__":
        raise _lost(cls, "was typed in, or read from standard input; write it into a file")
    found = {"module": name, "type": cls.__qualname__}
    return {**found, "file": file} if file else found


def _lost(cls: type, why: str) -> WrongDeclaration:
    line = cls.__dict__.get("__hsched_line__")
    place = f" ({words_of(line)})" if line else ""
    return WrongDeclaration(
        f"the process of a task cannot find class {cls.__qualname__}{place}: it {why}"
    )


def plain(value: Any, workspace: Path | None) -> Any:
    """Return a value as JSON has it; what JSON lacks is an object with a ``type``.

    Raises:
        TypeError: no parameter can have such a value.
    """
    if is_config(value):
        return {"type": "python", "value": _number(value)}
    if isinstance(value, Enum):
        return _member(value)
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return value if -_LONG < value < _LONG else {"type": "int", "value": hex(value)}
    if isinstance(value, float):
        return value if math.isfinite(value) else {"type": "float", "value": repr(value)}
    if isinstance(value, (bytes, bytearray)):
        return {"type": "bytes", "value": value.hex()}
    if isinstance(value, PurePath):
        return _path(Path(value), workspace)
    return _container(value, workspace)


def _member(value: Enum) -> dict[str, Any]:
    member = value.value if isinstance(value, Flag) else value.name
    return {"type": "enum", "class": found_again(type(value)), "value": member}


def _path(value: Path, workspace: Path | None) -> dict[str, str]:
    if workspace is not None and value.is_relative_to(workspace):
        return {"type": "path", "value": _relative(value, workspace), "base": "workspace"}
    return {"type": "path", "value": str(value)}


def _relative(path: Path, workspace: Path) -> str:
    return str(path.relative_to(workspace))


def _container(value: Any, workspace: Path | None) -> Any:
    if isinstance(value, list):
        return [plain(one, workspace) for one in value]
    if isinstance(value, dict):
        items = [[plain(key, workspace), plain(one, workspace)] for key, one in value.items()]
        return {"type": "dict", "items": items}
    for kind in (tuple, frozenset, set):
        if isinstance(value, kind):
            items = [plain(one, workspace) for one in value]
            if kind is not tuple:
                items.sort(key=json.dumps)
            return {"type": kind.__name__, "items": items}
    raise TypeError(f"{value!r} ({type(value).__name__}) cannot be the value of a parameter")


def read(data: dict[str, Any], folder: Path) -> Any:
    """Return the task of params.json, ready to be executed; see `restore.restore`."""
    from hsched.experiment.restore import restore

    return restore(data, folder)
