"""From params.json to the objects of a running task, and nothing that describes them."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hsched.experiment import running
from hsched.experiment.documents import Document, Entry
from hsched.experiment.files import Lock
from hsched.experiment.instances import empty
from hsched.experiment.modules import find_class
from hsched.experiment.plain import Values, inner
from hsched.experiment.walks import in_order


class Loaded:
    """A task that is ready to run.

    Attributes:
        task: the object, with `__taskdir__`, `__maintaskdir__` and `__tags__`.
        init_tasks: the lightweight tasks that run before it, in order; they share its objects.
        shared: folders that other tasks write to as well, because of partial identities.
    """

    __slots__ = ("init_tasks", "shared", "task")

    def __init__(self, task: Any, init_tasks: list[Any], shared: list[Path]) -> None:
        self.task, self.init_tasks, self.shared = task, init_tasks, shared

    def execute(self) -> None:
        """Run the init tasks and then the task, here and now.

        While they run, no other task has the shared folders.
        """
        with ExitStack() as held:
            for folder in sorted(self.shared):  # in one order for all: no two wait for each other
                folder.mkdir(parents=True, exist_ok=True)
                held.enter_context(Lock(f"{folder}.lock"))
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
    shared = made.equip(task, document)
    init_tasks = [made.of(entry) for entry in document.init_tasks()]
    made.complete()
    return Loaded(task, init_tasks, shared)


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

    def equip(self, task: Any, document: Document) -> list[Path]:
        """Tell the task its folders and tags, and return the shared ones."""
        values, tags = self._values(document), document.data["tags"]
        shared: list[Path] = [values.read(one) for one in document.data["shared-folders"]]
        task.__taskdir__ = document.folder
        task.__maintaskdir__ = shared[0] if shared else document.folder
        task.__tags__ = {name: values.read(value) for name, value in tags.items()}
        return shared

    def complete(self) -> None:
        """Give all objects their values, and let them complete themselves."""
        for entry in self._order:
            values = self._values(entry.document)
            for name, value in entry.fields().items():
                setattr(self._made[id(entry)], name, values.read(value))
            self._make_folders(entry)
        for entry in self._order:
            self._made[id(entry)].__post_init__()

    def _make_folders(self, entry: Entry) -> None:
        """Make the folders that generated paths of the task itself lie in."""
        for name in entry.json.get("generated", ()):
            path: Path = getattr(self._made[id(entry)], name)
            if inner(path, entry.document.folder) is not None:
                path.parent.mkdir(parents=True, exist_ok=True)

    def _values(self, document: Document) -> Values:
        return Values(document.workspace, lambda number: self._made[id(document.entry(number))])
