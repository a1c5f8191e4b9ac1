"""Reads params.json, and the files of other tasks that it refers to, into one graph."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hsched.experiment.errors import WrongValue

#: Of the format.
VERSION = 1


class Entry:
    """One object of a file; `json` is what the file says of it."""

    __slots__ = ("document", "json")

    def __init__(self, document: Document, written: dict[str, Any]) -> None:
        self.document, self.json = document, written

    def fields(self) -> dict[str, Any]:
        """Return the values of its parameters as JSON."""
        fields: dict[str, Any] = self.json["fields"]
        return fields

    def refers_to(self) -> list[Entry]:
        """Return the objects among its values."""
        return [self.document.entry(number) for number in _references(self.fields().values())]

    def init_tasks(self) -> list[Entry]:
        """Return what runs before it."""
        return [self.document.entry(number) for number in self.json.get("init-tasks", ())]

    def maker(self) -> Entry | None:
        """Return the task whose output it is."""
        number = self.json.get("task")
        return None if number is None else self.document.entry(number)

    def upstream(self) -> list[Entry]:
        """Return all that it is made of, by, or started with."""
        maker = self.maker()
        return [*([] if maker is None else [maker]), *self.refers_to(), *self.init_tasks()]


class Document:
    """One params.json.

    Args:
        data: what it holds.
        folder: that of its task; where the workspace was moved, the new one.
        others: documents that were read already, by folder.
    """

    def __init__(
        self, data: dict[str, Any], folder: Path, others: dict[Path, Document] | None = None
    ) -> None:
        if data.get("version") != VERSION:
            raise WrongValue(f"{folder}: params.json is of version {data.get('version')}")
        self.data, self.folder = data, folder
        inside = data["folder"]
        self.workspace = folder if inside is None else folder.parents[len(Path(inside).parts) - 1]
        self._others = others if others is not None else {}
        self._others[folder] = self
        self._written = {one["id"]: one for one in data["objects"]}
        self._entries: dict[int, Entry] = {}

    def task(self) -> Entry:
        """Return what the file is about."""
        return self.entry(self.data["task"])

    def init_tasks(self) -> list[Entry]:
        """Return what runs before the task."""
        return [self.entry(number) for number in self.data["init-tasks"]]

    def entry(self, number: int) -> Entry:
        """Return an object by its number, from the file of its own task if it is there."""
        found = self._entries.get(number)
        if found is None:
            written = self._written[number]
            elsewhere = written.get("folder")
            found = self._read(elsewhere).task() if elsewhere else Entry(self, written)
            self._entries[number] = found
        return found

    def _read(self, inside: str) -> Document:
        folder = self.workspace / inside
        return self._others.get(folder) or load(folder, self._others)


def load(folder: Path, others: dict[Path, Document] | None = None) -> Document:
    """Return the document in a task's folder.

    Raises:
        WrongValue: it is not there, or is none.
    """
    path = folder / "params.json"
    try:
        return Document(json.loads(path.read_bytes()), folder, others)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WrongValue(f"cannot read a task from {path}: {error}") from None


def _references(values: Any) -> Iterator[int]:
    for value in values:
        if isinstance(value, list):
            yield from _references(value)
        elif isinstance(value, dict):
            if value["type"] == "python":
                yield value["value"]
            elif "items" in value:
                yield from _references(value["items"])
