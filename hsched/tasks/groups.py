"""Groups of tasks, and graphs that say which waits for which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from hsched.tasks.errors import TaskError
from hsched.tasks.naming import checked_name
from hsched.tasks.task import ProcTask

Node: TypeAlias = "ProcTask | TaskGroup"
Edge: TypeAlias = "tuple[Node, Node]"

_STRATEGIES = ("parallel", "sequential")
_ON_FAILURE = ("stop", "continue")


class TaskGraph:
    """Tasks and groups, and edges from each to those that wait for it; without a cycle."""

    def __init__(self) -> None:
        self._nodes: dict[int, Node] = {}
        self._edges: dict[tuple[int, int], None] = {}

    @property
    def nodes(self) -> list[Node]:
        """All tasks and groups, in the order in which they came."""
        return list(self._nodes.values())

    @property
    def edges(self) -> list[Edge]:
        """All edges, in the order in which they came."""
        return [(self._nodes[before], self._nodes[after]) for before, after in self._edges]

    def add_task(self, task: Node) -> None:
        """Add a task or a group; nothing happens where it is there.

        Raises:
            TypeError: it is neither.
        """
        self._nodes[id(_checked_node(task))] = task

    def add_tasks_from(self, tasks: Iterable[Node]) -> None:
        """Add several.

        Raises:
            TypeError: one is neither task nor group.
        """
        for task in tasks:
            self.add_task(task)

    def add_edge(self, before: Node, after: Node) -> None:
        """Let ``after`` wait for ``before``; both are added where they are not there.

        Raises:
            TypeError: one is neither task nor group.
            TaskError: it would wait for itself.
        """
        if before is after:
            raise TaskError(f"cycle: {_name(before)} cannot wait for itself")
        self.add_tasks_from((before, after))
        self._edges[id(before), id(after)] = None

    def add_edges_from(self, edges: Iterable[Edge]) -> None:
        """Add several edges, each a pair.

        Raises:
            TypeError: one is no pair of tasks or groups.
            TaskError: one would make a task wait for itself.
        """
        for edge in edges:
            if not isinstance(edge, Sequence) or len(edge) != 2:
                raise TypeError(f"an edge is a pair (before, after), not {edge!r}")
            self.add_edge(*edge)

    def check(self) -> None:
        """Check that nothing waits for itself in the end.

        Raises:
            TaskError: there is a cycle; the text names who is in it.
        """
        waits_for: dict[int, set[int]] = {node: set() for node in self._nodes}
        waiting: dict[int, list[int]] = {node: [] for node in self._nodes}
        for before, after in self._edges:
            waits_for[after].add(before)
            waiting[before].append(after)
        ready = [node for node, upstream in waits_for.items() if not upstream]
        while ready:
            done = ready.pop()
            del waits_for[done]
            for node in waiting[done]:
                waits_for[node].discard(done)
                if not waits_for[node]:
                    ready.append(node)
        if waits_for:
            raise TaskError(f"cycle: {' -> '.join(self._cycle(waits_for))}")

    def _cycle(self, waits_for: dict[int, set[int]]) -> list[str]:
        """Return the names along one cycle, the first one again at the end."""
        node = next(iter(waits_for))
        path: dict[int, None] = {}
        while node not in path:
            path[node] = None
            node = next(one for one in waits_for[node] if one in waits_for)
        trail = list(path)
        around = [*trail[trail.index(node) :], node][::-1]
        return [_name(self._nodes[one]) for one in around]


class TaskGroup:
    """Several tasks or groups, run side by side, one after the other, or as a graph says.

    Where there is a graph, the tasks that stand in it are part of the group.  What waits
    for a task that fails ends as `dependency failed`; with ``on_failure="continue"`` it runs
    all the same.
    """

    def __init__(
        self,
        tasks: Node | Iterable[Node],
        execute_strategy: str | TaskGraph = "parallel",
        group_name: str | None = None,
        *,
        on_failure: str = "stop",
    ) -> None:
        """Make a group; nothing is submitted yet.

        Raises:
            TypeError: something in it is neither task nor group.
            TaskError: it is empty, one stands in it twice, or the graph has a cycle.
        """
        self.name = None if group_name is None else checked_name(group_name, "group")
        self.execute_strategy = execute_strategy
        self.on_failure = on_failure
        self._given = _as_list(tasks)
        self.check()

    def __repr__(self) -> str:
        return f"TaskGroup({self.tasks!r}, group_name={self.name!r})"

    @property
    def tasks(self) -> list[Node]:
        """What is in the group: what was given, and what else stands in its graph."""
        drawn_in = self._graph.nodes if self._graph is not None else []
        given = {id(one) for one in self._given}
        return [*self._given, *(one for one in drawn_in if id(one) not in given)]

    @property
    def edges(self) -> Iterator[Edge]:
        """Who waits for whom."""
        if self._graph is not None:
            yield from self._graph.edges
        elif self.execute_strategy == "sequential":
            yield from zip(self._given, self._given[1:], strict=False)

    @property
    def _graph(self) -> TaskGraph | None:
        return self.execute_strategy if isinstance(self.execute_strategy, TaskGraph) else None

    def check(self) -> None:
        """Check the group as it stands.

        Raises:
            TaskError: it is empty, one stands in it twice, the graph has a cycle, or a word
                is none that there is.
        """
        if self._graph is None and self.execute_strategy not in _STRATEGIES:
            raise TaskError(
                f"execute_strategy is {self.execute_strategy!r}; it is `parallel`, `sequential` "
                "or a TaskGraph"
            )
        if self.on_failure not in _ON_FAILURE:
            raise TaskError(f"on_failure is {self.on_failure!r}; it is `stop` or `continue`")
        shown = f"group {self.name}" if self.name else "a group"
        if not self.tasks:
            raise TaskError(f"{shown} is empty; give it a task")
        seen: set[int] = set()
        names: set[str] = set()
        for one in self.tasks:
            name = one.name
            if id(one) in seen or name in names:
                raise TaskError(f"{shown} has two tasks called {_name(one)}; names must differ")
            seen.add(id(one))
            names |= {name} if name else set()
        if self._graph is not None:
            self._graph.check()


def _as_list(given: Node | Iterable[Node]) -> list[Node]:
    if isinstance(given, (ProcTask, TaskGroup)):
        return [given]
    if isinstance(given, TaskGraph):
        raise TypeError(
            "a TaskGraph says how a group runs: TaskGroup([...], execute_strategy=graph)"
        )
    try:
        tasks = list(given)
    except TypeError:
        raise TypeError(f"a group has tasks and groups, not {type(given).__name__}") from None
    return [_checked_node(one) for one in tasks]


def _checked_node(node: object) -> Node:
    if not isinstance(node, (ProcTask, TaskGroup)):
        what = type(node).__name__
        raise TypeError(f"a task or a group belongs here, not {what}: {node!r:.80}")
    return node


def _name(node: Node) -> str:
    return node.name or "a group without a name"
