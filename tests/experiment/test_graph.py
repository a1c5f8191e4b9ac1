"""Which tasks must end before another: what is a dependency, and what hides one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hsched.experiment import Config, DependentMarker, LightweightTask, Meta, Param, Task, field
from hsched.experiment.graph import dependencies, strong_components, task_of
from hsched.experiment.identity import identifier
from hsched.experiment.marking import Marker
from hsched.experiment.sealing import Context, seal


class Documents(Config):
    path: Param[Path] = Path("documents")


class Topics(Config):
    path: Param[Path] = Path("topics")


class Dataset(Config):
    topics: Param[Topics]
    documents: Param[Documents]


class RandomFold(Task):
    dataset: Param[Dataset]
    seed: Param[int] = 0

    def task_outputs(self, dep: DependentMarker) -> Dataset:
        return dep(
            Dataset.C(topics=dep(Topics.C(path=Path("own"))), documents=self.dataset.documents)
        )


class Use(Task):
    anything: Param[Any] = None
    beside: Meta[Any] = None


class Load(LightweightTask):
    what: Param[Any]


def submitted(task: Any, *init_tasks: Any) -> Any:
    """Seal a task and return its outputs, as submission does."""
    seal(task, Context(Path("/workspace"), init_tasks))
    return task.task_outputs(Marker(task))


@pytest.fixture
def fold() -> RandomFold:
    source = Dataset.C(topics=Topics.C(), documents=Documents.C())
    return RandomFold.C(dataset=source)


def test_a_task_that_says_nothing_is_its_own_output() -> None:
    task = Use.C()
    assert submitted(task) is task
    assert dependencies(Use.C(anything=task)) == [task]


def test_who_uses_an_output_depends_on_the_task_that_made_it(fold: RandomFold) -> None:
    output = submitted(fold)
    assert dependencies(Use.C(anything=output)) == [fold]
    assert dependencies(Use.C(anything=output.topics)) == [fold]
    assert dependencies(Use.C(anything=output.documents)) == []


def test_outputs_of_unlike_tasks_are_unlike() -> None:
    source = Dataset.C(topics=Topics.C(), documents=Documents.C())
    first, second = (submitted(RandomFold.C(dataset=source, seed=seed)) for seed in (1, 2))
    assert identifier(first) != identifier(second)
    assert identifier(first.topics) != identifier(second.topics)
    assert identifier(first.documents) == identifier(second.documents)


@pytest.mark.parametrize(
    "using",
    [
        lambda one: Use.C(anything=[one]),
        lambda one: Use.C(anything={"a": {"b": (one,)}}),
        lambda one: Use.C(beside=one),
        lambda one: Use.C(anything=Load.C(what=[one])),
    ],
)
def test_wherever_an_output_stands_it_is_found(using: Any, fold: RandomFold) -> None:
    assert dependencies(using(submitted(fold))) == [fold]


def test_init_tasks_bring_their_dependencies(fold: RandomFold) -> None:
    loader = Load.C(what=submitted(fold))
    task = Use.C()
    submitted(task, loader)
    assert dependencies(task) == [fold]


def test_only_the_nearest_tasks_are_named_each_once(fold: RandomFold) -> None:
    output = submitted(fold)
    first, second = Use.C(anything=output), Use.C(anything=[output, 1])
    submitted(first)
    submitted(second)
    last = Use.C(anything=[first, second, first])
    assert dependencies(last) == [first, second]


def test_a_task_can_wait_for_one_that_no_parameter_names() -> None:
    first, second = Use.C(anything=1), Use.C(anything=2)
    submitted(first)
    second.add_dependencies(first)
    third = Use.C(anything=3).copy_dependencies(second)
    assert dependencies(second) == dependencies(third) == [first]
    assert identifier(second) == identifier(Use.C(anything=2))


def test_what_a_running_task_gives_out_is_there_before_it_has_ended(fold: RandomFold) -> None:
    seal(fold, Context(Path("/workspace")))
    output = Marker(fold, soft=True)(Topics.C())
    assert dependencies(Use.C(anything=output)) == []
    assert task_of(output) is fold
    assert identifier(output) != identifier(Topics.C())


def test_marks_that_make_no_sense_are_refused(fold: RandomFold) -> None:
    first, second = Use.C(anything=1), Use.C(anything=2)
    submitted(first)
    submitted(second)
    dep = Marker(first)
    topics = dep(Topics.C())
    assert dep(topics) is topics
    with pytest.raises(ValueError, match="already been marked"):
        Marker(second)(topics)
    with pytest.raises(ValueError, match="is a task"):
        dep(second)
    with pytest.raises(ValueError, match="is no configuration"):
        dep(3)


class Learner(Task):
    model: Param[Topics]
    rate: Param[float] = field(default=0.1)

    def task_outputs(self, dep: DependentMarker) -> Topics:
        return dep(self.model)


def test_a_part_of_the_task_itself_is_marked_in_a_copy() -> None:
    # Its own identity is part of the task's, and cannot contain that.
    model = Topics.C(path=Path("m"))
    outputs = [submitted(Learner.C(model=model, rate=rate)) for rate in (0.1, 0.2)]
    assert [task_of(model), outputs[0].path] == [None, Path("m")]
    assert identifier(outputs[0]) != identifier(outputs[1])


class Many(Config):
    name: Param[str]
    next: Param[list[Many]] = field(default_factory=list)


def test_components_come_after_those_they_lead_to() -> None:
    a, b, c, d = (Many.C(name=name) for name in "abcd")
    a.next, b.next, c.next = [b], [c, d], [b]
    found = strong_components(a, lambda one: one.next)
    assert [sorted(one.name for one in component) for component in found] == [
        ["d"],
        ["b", "c"],
        ["a"],
    ]
