"""Configurations on disk: saved with their data, and read back as what they were."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from hsched.experiment.config import ConfigMeta
from hsched.experiment.documents import Document, Entry
from hsched.experiment.documents import load as read_document
from hsched.experiment.errors import WrongValue
from hsched.experiment.graph import in_order, named_values
from hsched.experiment.markers import DATA
from hsched.experiment.modules import find_class
from hsched.experiment.origin import users_line
from hsched.experiment.plain import Values
from hsched.experiment.schema import schema_of
from hsched.experiment.state import State, state_of
from hsched.experiment.writing import everything, write

#: What a folder with a saved configuration has.
DEFINITION = "definition.json"


def state_dict(config: Any) -> dict[str, Any]:
    """Return a configuration, with all that it is made of, as what JSON can hold."""
    return write(config)


def from_state_dict(
    data: dict[str, Any], folder: str | os.PathLike[str] = ".", *, as_instance: bool = False
) -> Any:
    """Return the configuration of `state_dict`; ``as_instance``, the object of a running task.

    Args:
        data: what `state_dict` returned.
        folder: where its files are, if it was saved there.
        as_instance: give an object and no configuration.

    Raises:
        ImportError: a class is not there any more.
        WrongValue: it was written by another version.
    """
    config = _Configurations().of(Document(data, Path(folder).absolute()).task())
    return config.instance() if as_instance else config


def serialize(config: Any, folder: str | os.PathLike[str]) -> None:
    """Save a configuration in a folder, with copies of the files of its `DataPath` parameters.

    Raises:
        WrongValue: a file of it is not there.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    data = write(config)
    by_number = {one["id"]: one for one in data["objects"]}
    for part in everything(config):
        for name, value in named_values(part):
            if schema_of(type(part)).by_name[name].role is DATA and value is not None:
                number = state_of(part).number
                copied = _copy(value, target / "data" / str(number) / name)
                inside = {"type": "path", "value": str(copied.relative_to(target)), "base": "here"}
                by_number[number]["fields"][name] = inside
    scratch = target / f".{DEFINITION}.{os.getpid()}"
    scratch.write_text(json.dumps(data))
    scratch.replace(target / DEFINITION)


def _copy(source: Path, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / source.name
    try:
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            shutil.copy2(source, target)
    except OSError as error:
        raise WrongValue(f"cannot save {source}: {error}") from None
    return target


def deserialize(folder: str | os.PathLike[str], *, as_instance: bool = False) -> Any:
    """Return what `serialize` saved in a folder.

    Raises:
        WrongValue: there is nothing, or of another version.
        ImportError: a class is not there any more.
    """
    path = Path(folder) / DEFINITION
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise WrongValue(f"cannot read a configuration from {path}: {error}") from None
    return from_state_dict(data, folder, as_instance=as_instance)


save, load = serialize, deserialize


def from_task_dir(folder: str | os.PathLike[str], *, as_instance: bool = False) -> Any:
    """Return the task that works in a folder, as it was submitted.

    Raises:
        WrongValue: no task works there.
        ImportError: a class is not there any more.
    """
    document = read_document(Path(folder).absolute())
    config = _Configurations().of(document.task())
    return config.instance() if as_instance else config


class _Configurations:
    """The configurations of entries, each once."""

    def __init__(self) -> None:
        self._made: dict[int, Any] = {}

    def of(self, root: Entry) -> Any:
        """Return the configuration of an entry, with all that it refers to."""
        entries = list(in_order(root, Entry.upstream, lambda _: False))
        for entry in entries:
            self._made[id(entry)] = self._empty(entry)
        for entry in entries:
            self._fill(entry)
        return self._made[id(root)]

    def _empty(self, entry: Entry) -> Any:
        cls: Any = find_class(entry.json)
        if not isinstance(cls, ConfigMeta):
            raise ImportError(f"{cls.__qualname__} is no class of configurations any more")
        twin: Any = cls.C
        config = object.__new__(twin)
        vars(config)["__hsched__"] = State(users_line(), is_task=twin.__hsched_is_task__)
        return config

    def _fill(self, entry: Entry) -> None:
        config, written, document = self._made[id(entry)], entry.json, entry.document
        made = self._made
        values = Values(document.workspace, lambda i: made[id(document.entry(i))], document.folder)
        for name, value in entry.fields().items():
            vars(config)[name] = values.read(value)
        state = state_of(config)
        state.tags = {name: values.read(one) for name, one in written.get("tags", {}).items()}
        state.meta, state.soft = written.get("meta"), written.get("soft", False)
        state.init_tasks = [self._made[id(one)] for one in entry.init_tasks()]
        maker = entry.maker()
        state.task = self._made[id(maker)] if maker is not None else None
        state.generated = {name: vars(config)[name] for name in written.get("generated", ())}
        state.sealed = written.get("sealed", False)
        if state.is_task and state.sealed:
            state.digest = bytes.fromhex(written["identifier"])
            state.workspace = document.workspace
            state.folder = document.workspace / "jobs" / written["name"] / written["identifier"]
