"""From groups and graphs to tasks with full names and edges."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest

from hsched.tasks import ProcTask, TaskError, TaskGraph, TaskGroup
from hsched.tasks.compiling import compiled
from hsched.tasks.groups import Node


def task(name: str, command: Any = "true", **given: Any) -> ProcTask:
    return ProcTask(command, task_name=name, **given)


def edges(*exported: Node) -> dict[str, set[str]]:
    """Return for each task what it waits for, with the condition where it is not afterok."""
    tasks = compiled(exported).plan.tasks

    def word(edge: str) -> str:
        condition, _, number = edge.partition(":@")
        name = tasks[int(number)].name
        return name if condition == "afterok" else f"{condition}:{name}"

    return {one.name: {word(edge) for edge in one.after} for one in tasks}


def test_a_sequence_waits_and_a_group_gives_the_full_names() -> None:
    group = TaskGroup([task("a"), task("b"), task("c")], "sequential", "g")
    assert edges(group) == {"g/a": set(), "g/b": {"g/a"}, "g/c": {"g/b"}}


def test_groups_nest_and_wait_as_a_whole() -> None:
    inner = TaskGroup([task("x"), task("y")], group_name="inner")
    outer = TaskGroup([task("a"), inner, task("b")], "sequential", "outer")
    assert edges(outer) == {
        "outer/a": set(),
        "outer/inner/x": {"outer/a"},
        "outer/inner/y": {"outer/a"},
        "outer/b": {"outer/inner/x", "outer/inner/y"},
    }


def test_a_graph_draws_in_its_tasks_as_the_page_has_it() -> None:
    t1, t2, t3 = task("step1"), task("step2"), task("step3")
    graph = TaskGraph()
    graph.add_tasks_from([t1, t2, t3])
    graph.add_edges_from([(t1, t2), (t2, t3)])
    group = TaskGroup(tasks=t1, execute_strategy=graph)
    assert edges(group) == {"step1": set(), "step2": {"step1"}, "step3": {"step2"}}


def test_a_diamond() -> None:
    a, b, c, d = map(task, "abcd")
    graph = TaskGraph()
    graph.add_edges_from([(a, b), (a, c), (b, d), (c, d)])
    found = edges(TaskGroup([a], graph))
    assert found == {"a": set(), "b": {"a"}, "c": {"a"}, "d": {"b", "c"}}


def test_on_failure_continue_waits_for_any_end() -> None:
    group = TaskGroup([task("a"), task("b")], "sequential", on_failure="continue")
    assert edges(group)["b"] == {"afterany:a"}


def test_two_wide_stages_are_joined_by_one_task_and_not_by_a_million_edges() -> None:
    stages = [TaskGroup([task(f"t{i}") for i in range(100)], group_name=f"s{s}") for s in (0, 1)]
    found = edges(TaskGroup(stages, "sequential", "g"))
    joins = [name for name in found if "join" in name]
    assert len(joins) == 1
    assert found[joins[0]] == {f"g/s0/t{i}" for i in range(100)}
    assert found["g/s1/t7"] == set(joins)


def cycle() -> TaskGroup:
    a, b, c = task("a"), task("b"), task("c")
    graph = TaskGraph()
    graph.add_edges_from([(a, b), (b, c), (c, b)])
    return TaskGroup([a], graph)


def itself() -> None:
    a = task("a")
    TaskGraph().add_edge(a, a)


def twice() -> None:
    a = task("a")
    compiled([a, TaskGroup([a])])


def of_itself() -> None:
    graph = TaskGraph()
    group = TaskGroup([task("a")], graph)
    graph.add_task(group)
    compiled([group])


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (cycle, "cycle: (b -> c -> b|c -> b -> c)"),
        (itself, "a cannot wait for itself"),
        (twice, "stands twice"),
        (of_itself, "stands twice"),
        (lambda: TaskGroup([]), "is empty"),
        (lambda: TaskGroup([], TaskGraph(), "g"), "group g is empty"),
        (lambda: TaskGroup([task("a"), task("a")]), "two tasks called a"),
        (lambda: compiled([task("a"), TaskGroup([task("a")])]), "two tasks are called a"),
        (lambda: TaskGroup([task("a")], "random"), "execute_strategy"),
        (lambda: TaskGroup([task("a")], on_failure="ignore"), "on_failure"),
        (lambda: task("a/b"), "slash"),
        (lambda: task(".."), "another folder"),
        (lambda: task("a\0b"), "control"),
        (lambda: task("x" * 300), "300 bytes"),
        (lambda: TaskGroup([task("a")], group_name="../x"), "slash"),
        (lambda: compiled([task("records")]), "already"),
        (lambda: task("a", ""), "is empty"),
        (lambda: task("a", []), "has words"),
        (lambda: task("a", [1]), "has words"),
        (lambda: task("a", lambda x: x), "requires the parameter `x`"),
        (lambda: task("a", min_devices=-1), "min_devices"),
        (lambda: task("a", priority=1.5), "whole number"),
        (lambda: task("a", requires_memory_per_device="much"), "no amount of memory"),
        (lambda: compiled([task("a", "echo ${nope}")]), "task a: .*no magic variable"),
        (lambda: compiled([task("a", env={"X": "${env:NOT_THERE}"})]), "no variable NOT_THERE"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_submitted(make: Any, why: str) -> None:
    with pytest.raises(TaskError, match=why):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: task("a", 7),
        lambda: task("a", b"true"),
        lambda: TaskGroup(["true"]),  # type: ignore[list-item] # what is tested
        lambda: TaskGroup(TaskGraph()),  # type: ignore[arg-type]
        lambda: TaskGraph().add_edges_from([(task("a"),)]),  # type: ignore[list-item]
    ],
)
def test_what_is_of_the_wrong_type_is_a_type_error(make: Any) -> None:
    with pytest.raises(TypeError):
        make()


def test_a_name_that_nobody_gave_has_five_letters_or_digits() -> None:
    names = {ProcTask("true").name for _ in range(50)}
    assert len(names) == 50
    assert all(len(name) == 5 and name.isalnum() and name[0].isalpha() for name in names)


def test_commands_and_environment_travel_as_they_are() -> None:
    words, line, magic = compiled(
        [
            task("a", ["prog", "a  b", "$x"], env={"A": "1"}),
            task("b", "echo 'x y'"),
            task("c", ["prog", "${run_dir}/x y"], env={"OUT": "${fullpath}", "B": "2"}),
        ]
    ).plan.tasks
    assert (words.argv, words.shell, words.environment) == (
        ("prog", "a  b", "$x"),
        None,
        {"A": "1"},
    )
    assert line.shell == "echo 'x y'"
    assert magic.environment == {"B": "2"}
    assert magic.shell == ('export OUT="${HSCHED_FULLPATH}"; exec prog "${HSCHED_RUN_DIR}"\'/x y\'')


class Lock:
    """Like a lock, it cannot be pickled."""

    def __reduce__(self) -> Any:
        raise TypeError("cannot pickle a Lock")


LOCK = Lock()


def uses_a_lock() -> object:
    return LOCK


def test_what_cannot_be_pickled_is_named_with_the_way_to_it() -> None:
    config = {"inner": [1, LOCK]}
    own = lambda: (config, uses_a_lock)  # noqa: E731 # it needs no name
    with pytest.raises(TaskError) as caught:
        compiled([task("t", own)])
    told = str(caught.value)
    assert told.startswith("task t cannot be pickled: function `")
    assert "variable `config` -> key 'inner' -> item 1, a " in told
    assert "Lock: TypeError: cannot pickle a Lock" in told


@pytest.mark.parametrize(
    ("attribute", "value", "why"),
    [
        ("priority", "high", "priority is 'high', and must be a whole number"),
        ("priority", True, "priority is True"),
        ("min_devices", -1, "min_devices is -1, 0 or more"),
        ("retries", -1, "retries is -1, 0 or more"),
        ("time_limit", "soon", "time_limit is 'soon', and must be a number of seconds"),
        ("grace", None, "grace is None"),
        ("grace", float("nan"), "grace is nan seconds"),
        ("slots", 3, "slots is 3, and must be a string"),
        ("requires_memory_per_device", "much", "no amount of memory"),
        ("cmd_or_func", "a\0b", "its command has a NUL byte"),
        ("env", {"A": "x\0y"}, "the variable 'A' has a NUL byte"),
        ("env", {"A=B": "x"}, "'A=B' is empty or holds `=`"),
    ],
)
def test_what_a_task_was_given_is_told_by_name_also_where_it_is_given_later(
    attribute: str, value: Any, why: str
) -> None:
    one = task("mine")
    setattr(one, attribute, value)
    with pytest.raises(TaskError, match=re.escape(why)) as error:
        compiled([TaskGroup([task("other"), one])])
    assert str(error.value).startswith("task mine: ")
    if attribute != "cmd_or_func":
        with pytest.raises(TaskError, match=re.escape(why)):
            task("mine", **{attribute: value})


def test_groups_that_nest_without_end_are_told() -> None:
    node: Node = task("a")
    for _ in range(sys.getrecursionlimit()):
        node = TaskGroup([node])
    with pytest.raises(TaskError, match="too deep"):
        compiled([node])


@pytest.mark.parametrize("attribute", ["execute_strategy", "on_failure"])
def test_a_group_is_checked_as_it_is_at_the_end(attribute: str) -> None:
    group = TaskGroup([task("a")])
    setattr(group, attribute, "whenever")
    with pytest.raises(TaskError, match=f"{attribute} is 'whenever'"):
        compiled([group])
