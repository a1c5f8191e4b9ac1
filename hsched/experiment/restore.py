"""From params.json to the objects of a running task, and nothing that describes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hsched.experiment import running
from hsched.experiment.documents import Document, Entry
from hsched.experiment.graph import in_order
from hsched.experiment.instances import empty
from hsched.experiment.modules import find_class
from hsched.experiment.plain import Values


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
    made of, ``__post_init__()``.  What is upstream of it and no value of it is not built.

    Args:
        data: what `params.write` made.
        folder: the task's folder, wherever the workspace has been moved.

    Raises:
        ImportError: a module or class is not there any more.
        WrongValue: it was written by another version.
    """
    document = Document(data, folder.absolute())
    running.task = True  # from here on a class that is called builds objects
    made = _Objects()
    task = running.task = made.of(document.task())
    made.equip(task, document, folder.absolute())
    init_tasks = [made.of(entry) for entry in document.init_tasks()]
    made.complete()
    return Loaded(task, init_tasks)


class _Objects:
    """The objects of entries, each once."""

    def __init__(self) -> None:
        self._made: dict[int, Any] = {}
        self._order: list[Entry] = []

    def of(self, root: Entry) -> Any:
        """Return the object of an entry, which has no values yet."""
        for entry in in_order(root, Entry.refers_to, lambda one: id(one) in self._made):
            cls = find_class(entry.json.get("value") or entry.json)
            self._made[id(entry)] = empty(cls, entry.json["identifier"])
            self._order.append(entry)
        return self._made[id(root)]

    def equip(self, task: Any, document: Document, folder: Path) -> None:
        """Give the task what it is told besides its parameters."""
        values = self._values(document)
        main, tags = document.data["main-folder"], document.data["tags"]
        task.__taskdir__ = folder
        task.__maintaskdir__ = folder if main is None else values.read(main)
        task.__tags__ = {name: values.read(value) for name, value in tags.items()}

    def complete(self) -> None:
        """Give all objects their values, and let them complete themselves."""
        for entry in self._order:
            values = self._values(entry.document)
            for name, value in entry.fields().items():
                setattr(self._made[id(entry)], name, values.read(value))
        for entry in self._order:
            self._made[id(entry)].__post_init__()

    def _values(self, document: Document) -> Values:
        return Values(document.workspace, lambda number: self._made[id(document.entry(number))])
