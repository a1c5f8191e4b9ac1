"""What a task gives out while it runs: lines in ``.experimaestro/task-outputs.jsonl``.

A line is ``{"key": "IDENTITY/METHOD", "args": [...], "kwargs": {...}}``.  It counts once
its newline is there; an equal one is not written again, so that a task that was resumed
may go over the same steps.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from hsched.errors import WrongUsage
from hsched.experiment import files, runtime

FOLDER = ".experimaestro"
FILE = os.path.join(FOLDER, "task-outputs.jsonl")


class Output(NamedTuple):
    """One thing that a task gave out: which method makes it, of what."""

    key: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def line(self) -> str:
        """Return it as a line of the file, without the newline."""
        value = {"key": self.key, "args": self.args, "kwargs": self.kwargs}
        return json.dumps(value, sort_keys=True)


def parse(line: str) -> Output | None:
    """Return what a line says, None where it is damaged."""
    try:
        value = json.loads(line)
        return Output(str(value["key"]), tuple(value["args"]), dict(value["kwargs"]))
    except (ValueError, KeyError, TypeError):
        return None


def key_of(method: Callable[..., Any], identity: str) -> str:
    """Return the key of a method of the configuration with that identity."""
    return f"{identity}/{method.__name__}"


def register(key: str, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
    """Tell the experiment of an output, from inside a task; it is on file on return.

    Raises:
        WrongUsage: no task runs here, or one that cannot be resumed, or the arguments are
            not made of numbers, texts, lists and dictionaries.
    """
    running = runtime.current("register_task_output()")
    if not running.resumable:
        raise WrongUsage(
            f"register_task_output: {running.type_name} is a Task, and only a ResumableTask "
            "gives out outputs while it runs"
        )
    try:
        line = Output(key, tuple(args), kwargs).line()
    except (TypeError, ValueError) as error:
        raise WrongUsage(f"register_task_output: the arguments are no JSON: {error}") from error
    path = os.path.join(running.folder, FILE)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    written = running.outputs
    if written is None:
        written = running.outputs = set(files.whole_lines(path)[0])
    if line not in written:
        files.append_line(path, line)
        written.add(line)
