"""Tasks and graphs of tasks, in Python.

Only names that a script needs; each is imported when it is used, for `hsched create` with
a plain command needs hardly any of it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hsched.tasks.errors import TaskError
    from hsched.tasks.exporting import export
    from hsched.tasks.groups import TaskGraph, TaskGroup
    from hsched.tasks.submission import submit
    from hsched.tasks.task import ProcTask, exit_and_retry

__all__ = [
    "ProcTask",
    "TaskError",
    "TaskGraph",
    "TaskGroup",
    "exit_and_retry",
    "export",
    "submit",
]

_PLACES = {
    "ProcTask": "task",
    "TaskError": "errors",
    "TaskGraph": "groups",
    "TaskGroup": "groups",
    "exit_and_retry": "task",
    "export": "exporting",
    "submit": "submission",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'hsched.tasks' has no attribute {name!r}")
    return getattr(importlib.import_module(f"hsched.tasks.{_PLACES[name]}"), name)
