"""Functions and hooks as bytes, and which object is at fault where they cannot be."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import cloudpickle

from hsched.tasks.errors import TaskError

if TYPE_CHECKING:
    from hsched.tasks.task import ProcTask

#: How deep the object at fault is looked for.
_DEPTH = 6


def pickled(task: ProcTask) -> bytes:
    """Return the task, after a line with the search path of this process.

    Raises:
        TaskError: something in it cannot be pickled; the text names it and says why.
    """
    search_path = json.dumps(sys.path).encode()
    return search_path + b"\n" + dumped(task, f"task {task.name}", _parts_of_task(task))


def dumped(whole: Any, what: str, parts: Iterator[tuple[str, Any]]) -> bytes:
    """Return ``whole``, made of ``parts``, as bytes; errors call it ``what``.

    Raises:
        TaskError: something in it cannot be pickled; the text names it and says why.
    """
    try:
        content: bytes = cloudpickle.dumps(whole)
        return content
    except Exception as error:  # whatever a __reduce__ raises
        culprit = _culprit(whole, parts)
        where = f": {culprit}" if culprit else ""
        raise TaskError(
            f"{what} cannot be pickled{where}: {_told(error)}; make it inside of the "
            "function, or load it there"
        ) from None


def _parts_of_task(task: ProcTask) -> Iterator[tuple[str, Any]]:
    command = task.cmd_or_func
    if callable(command):
        yield f"function `{getattr(command, '__qualname__', command)}`", command
    for name, value in vars(task).items():
        if value is not command:
            yield f"its attribute `{name}`", value
    for hook in ("on_start", "on_end"):
        yield f"its {hook}", getattr(task, hook)


def _culprit(whole: Any, parts: Iterator[tuple[str, Any]]) -> str:
    """Return the way to the smallest object that cannot be pickled; empty where none is found."""
    trail: list[str] = []
    seen = {id(whole)}
    culprit: Any = None
    for _ in range(_DEPTH):
        found = next(((where, one) for where, one in parts if _fails(one, seen)), None)
        if found is None:
            break
        where, culprit = found
        seen.add(id(culprit))
        trail.append(where)
        parts = parts_of(culprit)
    if not trail:
        return ""
    kind = type(culprit)
    return f"{' -> '.join(trail)}, a {kind.__module__}.{kind.__qualname__}"


def _fails(one: Any, seen: set[int]) -> bool:
    if id(one) in seen:
        return False
    try:
        cloudpickle.dumps(one)
    except Exception:
        return True
    return False


def parts_of(one: Any) -> Iterator[tuple[str, Any]]:
    """Yield what an object is made of, as far as pickling it would reach."""
    function = inspect.unwrap(getattr(one, "__func__", one)) if callable(one) else one
    if inspect.isfunction(function):
        yield from _parts_of_function(function)
    elif isinstance(one, Mapping):
        yield from ((f"key {key!r:.40}", value) for key, value in one.items())
    elif isinstance(one, (list, tuple, set, frozenset)):
        yield from ((f"item {place}", value) for place, value in enumerate(one))
    if getattr(one, "__self__", None) is not None:
        yield "its object", one.__self__
    for attribute in ("func", "args", "keywords"):  # of functools.partial
        if hasattr(one, attribute):
            yield f"its {attribute}", getattr(one, attribute)
    if hasattr(one, "__dict__") and not isinstance(one, type):
        yield from ((f"its attribute `{name}`", value) for name, value in vars(one).items())


def _parts_of_function(function: Callable[..., Any]) -> Iterator[tuple[str, Any]]:
    variables = inspect.getclosurevars(function)
    for kind, found in (("variable", variables.nonlocals), ("global", variables.globals)):
        yield from ((f"{kind} `{name}`", value) for name, value in found.items())
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.default is not parameter.empty:
            yield f"the default of `{name}`", parameter.default


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
