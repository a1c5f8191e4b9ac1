"""What is known about a configuration besides the values of its parameters."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

from hsched.experiment.origin import Line, words_of

_numbers = count(1)


class State:
    """The bookkeeping of one configuration, at its attribute ``__hsched__``.

    Attributes:
        line: where it was built.
        number: what it is called by in files that this process writes.
        sealed: nothing about it changes any more.
        tags: the tagged parameters, and what ``.tag`` was told.
        stopped: parameters whose tags stay where they are.
        meta: what `setmeta` said; None where it was not asked.
        task: the task whose output it is, if it has been marked so.
        soft: it is there before that task has ended.
        init_tasks: what runs in the task's process before the task.
        needed: tasks that have to end before, though no parameter says so.
        generated: names of the parameters whose paths were made, once sealed.
        digest: its identity, once sealed; `shape` is it without what `InstanceConfig` adds.
        folder: where the task works, and `workspace` where that lies, once sealed.
        job: what the submission knows about a task.
    """

    __slots__ = (
        "cache",
        "digest",
        "folder",
        "generated",
        "init_tasks",
        "is_task",
        "job",
        "line",
        "meta",
        "needed",
        "number",
        "sealed",
        "shape",
        "soft",
        "stopped",
        "tags",
        "task",
        "workspace",
    )

    def __init__(self, line: Line, *, is_task: bool) -> None:
        self.line = line
        self.number = next(_numbers)
        self.is_task = is_task
        self.sealed = False
        self.tags: dict[str, Any] = {}
        self.stopped: set[str] = set()
        self.meta: bool | None = None
        self.task: Any = None
        self.soft = False
        self.init_tasks: list[Any] = []
        self.needed: list[Any] = []
        self.generated: dict[str, Path] = {}
        self.digest: bytes | None = None
        self.shape: bytes | None = None
        self.folder: Path | None = None
        self.workspace: Path | None = None
        self.job: Any = None
        #: What other modules have worked out about a sealed configuration, by their name.
        self.cache: dict[str, Any] = {}

    def awaits_submission(self) -> bool:
        """Return whether this is a task that has not been submitted."""
        return self.is_task and not self.sealed

    def where(self) -> str:
        """Return the user's FILE:LINE that built it."""
        return words_of(self.line)


def state_of(config: Any) -> State:
    """Return the state of a configuration.

    Raises:
        TypeError: it is something else.
    """
    state = getattr(config, "__hsched__", None)
    if not isinstance(state, State):
        raise TypeError(f"{config!r} is no configuration; build one with CLASS.C(...)")
    return state


def is_config(value: Any) -> bool:
    """Return whether a value is a configuration, and not an object of a running task."""
    return isinstance(getattr(value, "__hsched__", None), State)
