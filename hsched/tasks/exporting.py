"""``hsched.export``: what a script wants to have submitted, gathered until it has ended."""

from __future__ import annotations

import atexit
import os
import sys

from hsched.tasks.groups import Node, TaskGraph, TaskGroup
from hsched.tasks.task import ProcTask

#: Set by whoever runs a script to submit what it exports.
GATHERING = "HSCHED_EXPORT"

_exported: list[Node] = []


def export(task_or_group: Node | object) -> None:
    """Have `hsched create SCRIPT.py` submit this when the script has ended; a second one adds.

    Raises:
        TypeError: it is neither a task nor a group.
    """
    if isinstance(task_or_group, TaskGraph):
        raise TypeError(
            "hsched.export takes a task or a group; give the graph to one: "
            "TaskGroup([...], execute_strategy=graph)"
        )
    if not isinstance(task_or_group, (ProcTask, TaskGroup)):
        what = type(task_or_group).__name__
        raise TypeError(f"hsched.export takes a ProcTask or a TaskGroup, not {what}")
    if not _exported and GATHERING not in os.environ:
        atexit.register(_tell)
    _exported.append(task_or_group)


def exported() -> tuple[Node, ...]:
    """Return what was exported so far, in order."""
    return tuple(_exported)


def _tell() -> None:
    """Say how to submit what a script exported that was run as any other."""
    script = os.path.basename(sys.argv[0] or "SCRIPT.py")
    print(f"hsched: nothing was submitted; `hsched create {script}` does that", file=sys.stderr)
