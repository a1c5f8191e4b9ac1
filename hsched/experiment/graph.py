"""The graph of configurations: what is made of what, and which tasks must end before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from hsched.experiment.schema import schema_of
from hsched.experiment.state import State, state_of


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


def in_order(
    root: Any, below: Callable[[Any], Iterable[Any]], known: Callable[[Any], bool]
) -> Iterator[Any]:
    """Yield each configuration below ``root`` once, after those below it, and last the root.

    What is `known` is left out with all below it.  A cycle is cut where it closes.  It takes
    no more stack for a deep graph than for a flat one.
    """
    if known(root):
        return
    seen = {id(root)}
    stack = [(root, iter(below(root)))]
    while stack:
        config, rest = stack[-1]
        for one in rest:
            if id(one) not in seen and not known(one):
                seen.add(id(one))
                stack.append((one, iter(below(one))))
                break
        else:
            stack.pop()
            yield config


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


def strong_components(root: Any, below: Callable[[Any], list[Any]]) -> Iterator[list[Any]]:
    """Yield the strongly connected components below ``root``, each after those it leads to.

    Tarjan's algorithm with a stack of its own: a graph may be deeper than Python's.
    """
    order: dict[int, int] = {id(root): 0}
    low: dict[int, int] = {id(root): 0}
    open_ones: list[Any] = [root]
    is_open = {id(root)}
    stack = [(root, iter(below(root)))]
    while stack:
        config, rest = stack[-1]
        key = id(config)
        for one in rest:
            if id(one) not in order:
                order[id(one)] = low[id(one)] = len(order)
                open_ones.append(one)
                is_open.add(id(one))
                stack.append((one, iter(below(one))))
                break
            if id(one) in is_open:
                low[key] = min(low[key], order[id(one)])
        else:
            stack.pop()
            if stack:
                above = id(stack[-1][0])
                low[above] = min(low[above], low[key])
            if low[key] == order[key]:
                yield _closed(config, open_ones, is_open)


def _closed(config: Any, open_ones: list[Any], is_open: set[int]) -> list[Any]:
    component = []
    while True:
        component.append(open_ones.pop())
        is_open.discard(id(component[-1]))
        if component[-1] is config:
            return component
