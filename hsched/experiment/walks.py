"""Walks over graphs that may be deeper than Python's stack, and may have cycles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")


def in_order(root: T, below: Callable[[T], Iterable[T]], known: Callable[[T], bool]) -> Iterator[T]:
    """Yield each thing below ``root`` once, after those below it, and last the root.

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
