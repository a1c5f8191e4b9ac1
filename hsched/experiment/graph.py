"""The graph of configurations: what is made of what, and which tasks must end before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from hsched.experiment.schema import schema_of
from hsched.experiment.state import State, state_of
from hsched.experiment.walks import in_order, strong_components

__all__ = [
    "configs_in",
    "dependencies",
    "in_order",
    "named_values",
    "parts",
    "strong_components",
    "task_of",
]


def configs_in(values: Iterable[Any]) -> Iterator[Any]:
    """Yield the configurations among values and in their lists, sets, dicts and tuples."""
    for value in values:
        if isinstance(getattr(value, "__hsched__", None), State):
            yield value
        elif isinstance(value, dict):
            yield from configs_in(value)
            yield from configs_in(value.values())
        elif isinstance(value, (list, tuple, set, frozenset)):
            yield from configs_in(value)


def named_values(config: Any) -> list[tuple[str, Any]]:
    """Return names and values of the parameters that have a value, in order of declaration."""
    values = vars(config)
    return [(name, values[name]) for name in schema_of(type(config)).by_name if name in values]


def parts(config: Any) -> list[Any]:
    """Return the configurations that one is directly made of, with what starts it."""
    values = (value for _, value in named_values(config))
    return [*configs_in(values), *state_of(config).init_tasks]


def task_of(config: Any) -> Any:
    """Return the task that must end before a configuration can be used, or None.

    That is the task itself, or the one whose output it was marked as.
    """
    state = state_of(config)
    return config if state.is_task else state.task


def dependencies(root: Any) -> list[Any]:
    """Return the submitted tasks that must end before ``root``, each once, in order.

    Those of its parameters, its init tasks and what `add_dependencies` named; a task and an
    output of a task hide what they are made of.  Outputs that a running task produces
    (soft ones) are there already.
    """
    found: dict[int, Any] = {}
    for config in in_order(root, lambda one: _followed(one, root), lambda _: False):
        task = task_of(config) if config is not root else None
        if task is not None and not state_of(config).soft:
            found.setdefault(id(task), task)
        for needed in state_of(config).needed:
            found.setdefault(id(needed), needed)
    return list(found.values())


def _followed(config: Any, root: Any) -> list[Any]:
    if config is not root and task_of(config) is not None:
        return []
    return parts(config)
