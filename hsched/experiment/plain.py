"""Values of parameters as JSON has them; what JSON lacks is an object with a ``type``."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from enum import Enum, Flag
from pathlib import Path, PurePath
from typing import Any

from hsched.experiment.errors import WrongDeclaration
from hsched.experiment.modules import find_class
from hsched.experiment.origin import module_file, module_name, words_of
from hsched.experiment.state import is_config, state_of

#: Python writes longer integers in hexadecimal only.
_LONG = 1 << 1024

_CONTAINERS: dict[str, Any] = {"tuple": tuple, "set": set, "frozenset": frozenset}


def number_of(config: Any) -> int:
    """Return what a configuration is called by in JSON: a number of this process."""
    return state_of(config).number


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
    """Return a value as JSON has it; paths in the workspace are relative to it.

    Raises:
        TypeError: no parameter can have such a value.
        WrongDeclaration: the class of an enumeration cannot be found again.
    """
    if is_config(value):
        return {"type": "python", "value": number_of(value)}
    if isinstance(value, Enum):
        member = value.value if isinstance(value, Flag) else value.name
        return {"type": "enum", "class": found_again(type(value)), "value": member}
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


def _path(value: Path, workspace: Path | None) -> dict[str, str]:
    inside = inner(value, workspace) if workspace is not None else None
    if inside is not None:
        return {"type": "path", "value": inside, "base": "workspace"}
    return {"type": "path", "value": str(value)}


def inner(path: Path, folder: Path) -> str | None:
    """Return a path relative to a folder, or None where it does not lie in it.

    By the text, since `Path.is_relative_to` looks at each parent in turn.
    """
    whole, beginning = str(path), str(folder).rstrip("/") + "/"
    if whole == str(folder):
        return "."
    return whole[len(beginning) :] if whole.startswith(beginning) else None


def _container(value: Any, workspace: Path | None) -> Any:
    if isinstance(value, list):
        return [plain(one, workspace) for one in value]
    if isinstance(value, dict):
        items = [[plain(key, workspace), plain(one, workspace)] for key, one in value.items()]
        return {"type": "dict", "items": items}
    for name, kind in _CONTAINERS.items():
        if isinstance(value, kind):
            members = [plain(one, workspace) for one in value]
            if kind is not tuple:
                members.sort(key=json.dumps)
            return {"type": name, "items": members}
    raise TypeError(f"{value!r} ({type(value).__name__}) cannot be the value of a parameter")


class Values:
    """Reads what `plain` wrote.

    Args:
        workspace: where paths in the workspace lead from.
        objects: gives the object or configuration of a number.
        here: the folder of the file, where paths of files beside it lead from.
    """

    __slots__ = ("_bases", "_objects")

    def __init__(
        self, workspace: Path, objects: Callable[[int], Any], here: Path | None = None
    ) -> None:
        self._objects = objects
        self._bases = {"workspace": workspace, "here": here or workspace}

    def read(self, value: Any) -> Any:
        """Return the value that was written.

        Raises:
            ValueError: it is of a type that this version does not know.
        """
        if isinstance(value, list):
            return [self.read(one) for one in value]
        if not isinstance(value, dict):
            return value
        kind = value["type"]
        if kind == "python":
            return self._objects(value["value"])
        if kind == "path":
            path = Path(value["value"])
            return self._bases[value["base"]] / path if "base" in value else path
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
    raise ValueError(f"a value of type {kind!r} was written by a newer hsched")
