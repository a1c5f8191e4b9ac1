"""params.json: written by who submits, read by who runs."""

from __future__ import annotations

import enum
import json
import math
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from hsched.experiment import (
    Config,
    LightweightTask,
    Meta,
    Param,
    PathGenerator,
    ResumableTask,
    Task,
    field,
    param_group,
    params,
    partial,
    running,
    tag,
    writing,
)
from hsched.experiment.documents import load
from hsched.experiment.files import Lock
from hsched.experiment.graph import dependencies
from hsched.experiment.identity import identifier
from hsched.experiment.marking import Marker
from hsched.experiment.restore import Loaded, restore
from hsched.experiment.sealing import Context, seal
from hsched.experiment.state import is_config, state_of


@pytest.fixture(autouse=True)
def _no_task_runs() -> Iterator[None]:
    yield
    running.task = None


class Colour(enum.Enum):
    RED = "r"


class Bits(enum.Flag):
    A = 1
    B = 2


class Model(Config):
    events: ClassVar[list[str]]
    weights: ClassVar[int]
    size: Param[int] = 1
    index: Meta[Path] = field(default_factory=PathGenerator("index"))

    if not TYPE_CHECKING:  # it hides the parameters from type checkers

        def __init__(self) -> None:
            self.events = ["init"]
            self.weights = 0

    def __post_init__(self) -> None:
        self.events.append(f"size {self.size}")


class Loader(LightweightTask):
    model: Param[Model]
    add: Param[int]

    def execute(self) -> None:
        vars(self.model)["weights"] = self.model.weights * 10 + self.add


class Learn(Task):
    model: Param[Model]
    rate: Param[float] = 0.1
    previous: Param[Learn | None] = None
    anything: Param[Any] = None
    where: Meta[Path | None] = None
    log: Meta[Path] = field(default_factory=PathGenerator("log.txt"))

    def __post_init__(self) -> None:
        # What it is made of is complete by now.
        self.model.events.append("used")


class Evaluate(Task):
    model: Param[Model]

    def execute(self) -> None:
        self.seen = self.model.weights


def submitted(task: Any, workspace: Path, *init_tasks: Any) -> Any:
    """Seal a task and write its params.json, as submission does."""
    seal(task, Context(workspace, init_tasks))
    folder = state_of(task).folder
    assert folder is not None
    folder.mkdir(parents=True)
    (folder / "params.json").write_text(params.text(task))
    return task


def loaded(task: Any, folder: Path | None = None) -> Loaded:
    """Read a task as its process does."""
    folder = folder or state_of(task).folder
    assert folder is not None
    return restore(json.loads((folder / "params.json").read_text()), folder)


def test_the_body_sees_objects_with_the_values_that_were_given(tmp_path: Path) -> None:
    task = submitted(Learn.C(model=Model.C(size=3), rate=0.5), tmp_path)
    one = loaded(task).task
    assert type(one) is Learn
    assert not is_config(one)
    assert (one.model.size, one.rate, one.previous) == (3, 0.5, None)
    assert one.log == task.log
    assert one.model.index == task.model.index
    assert identifier(one) == identifier(task)


def test_objects_are_built_filled_and_completed_in_this_order(tmp_path: Path) -> None:
    task = submitted(Learn.C(model=Model.C(size=3)), tmp_path)
    assert loaded(task).task.model.events == ["init", "size 3", "used"]


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -(2**70),
        10**5000,
        0.1,
        -0.0,
        math.inf,
        "text é \udcff",
        b"\x00\xff",
        Path("/somewhere/else"),
        Path("relative"),
        Colour.RED,
        Bits.A | Bits.B,
        [1, [2.0, None]],
        (1, ("a",)),
        {1, 2},
        frozenset({"a"}),
        {"type": "python", "value": 3},
        {1: {"a": (2,)}, (3, 4): [Path("x")]},
    ],
    ids=lambda value: type(value).__name__,
)
def test_any_value_comes_back_as_what_it_was(value: Any, tmp_path: Path) -> None:
    task = submitted(Learn.C(model=Model.C(), anything=value), tmp_path)
    back = loaded(task).task.anything
    assert (type(back), back) == (type(value), value)
    assert math.copysign(1, back) == math.copysign(1, value) if value == 0.0 else True


def test_not_a_number_comes_back(tmp_path: Path) -> None:
    assert math.isnan(
        loaded(submitted(Learn.C(model=Model.C(), rate=math.nan), tmp_path)).task.rate
    )


def test_the_task_knows_its_folder_and_tags(tmp_path: Path) -> None:
    task = submitted(Learn.C(model=Model.C(size=tag(3)), rate=tag(0.5)), tmp_path)
    one = loaded(task).task
    assert one.__tags__ == {"rate": 0.5, "size": 3}
    assert one.__taskdir__ == one.__maintaskdir__ == state_of(task).folder


def test_a_workspace_can_be_moved(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    outside = tmp_path / "outside"
    task = submitted(
        Learn.C(model=Model.C(), anything=[old / "shared", outside], where=old / "x"), old
    )
    folder = new / state_of(task).folder.relative_to(old)  # type: ignore[union-attr]
    old.rename(new)
    one = loaded(task, folder).task
    assert one.log == folder / "log.txt"
    assert one.model.index == folder / "out" / "model" / "index"
    assert one.anything == [new / "shared", outside]
    assert one.where == new / "x"
    assert one.__taskdir__ == folder


def test_init_tasks_run_first_in_order_and_share_the_objects_of_the_task(tmp_path: Path) -> None:
    model = Model.C()
    loaders = [Loader.C(model=model, add=add) for add in (1, 2)]
    one = loaded(submitted(Evaluate.C(model=model), tmp_path, *loaders))
    assert [init.model for init in one.init_tasks] == [one.task.model] * 2
    one.execute()
    assert one.task.seen == 12


def test_what_is_shared_stays_shared_upstream(tmp_path: Path) -> None:
    first = submitted(Learn.C(model=Model.C(size=2)), tmp_path)
    second = submitted(Learn.C(model=Model.C(size=3), previous=first, anything=[first]), tmp_path)
    one = loaded(second).task
    assert one.previous is one.anything[0]
    assert one.previous.model.size == 2
    assert one.previous.log == first.log


def test_what_was_only_waited_for_is_not_built(tmp_path: Path) -> None:
    learn = submitted(Learn.C(model=Model.C(size=5)), tmp_path)
    output = Marker(learn)(Model.C(size=2))
    task = submitted(Evaluate.C(model=output), tmp_path)
    written = json.loads(params.text(task))
    assert {one["type"] for one in written["objects"]} == {"Learn", "Model", "Evaluate"}
    sizes: list[int] = []
    complete, Model.__post_init__ = Model.__post_init__, lambda self: sizes.append(self.size)  # type: ignore[method-assign]
    try:
        assert loaded(task).task.model.size == 2
    finally:
        Model.__post_init__ = complete  # type: ignore[method-assign]
    assert sizes == [2]


class Ring(Config):
    next: Param[Ring | None] = None


class UsesRing(Task):
    ring: Param[Ring]


def test_a_cycle_comes_back_as_one(tmp_path: Path) -> None:
    ring = Ring.C()
    ring.next = Ring.C(next=ring)
    back = loaded(submitted(UsesRing.C(ring=ring), tmp_path)).task.ring
    assert back.next is not back
    assert back.next.next is back


class Point(Config):
    x: Param[int]
    y: Param[int] = 2


def test_where_a_task_runs_a_class_that_is_called_builds_an_object(tmp_path: Path) -> None:
    assert is_config(Point(x=1))
    loaded(submitted(Learn.C(model=Model.C()), tmp_path))
    point = Point(x=1)
    assert not is_config(point)
    assert (point.x, point.y) == (1, 2)
    with pytest.raises(TypeError, match="zz is not an argument for Point"):
        Point(zz=1)  # type: ignore[call-arg]
    assert is_config(Point.C(x=1))


# Chains.


class Step(Task):
    i: Param[int]
    previous: Param[Step | None] = None
    more: Param[list[Step]] = field(default_factory=list)


def chain(count: int, workspace: Path) -> Iterator[Any]:
    """Yield a chain of tasks, each of which depends on the one before."""
    step = None
    for i in range(count):
        step = Step.C(i=i, previous=step)
        seal(step, Context(workspace))
        yield step


def test_the_files_of_a_chain_grow_with_its_length(tmp_path: Path) -> None:
    sizes = [len(params.text(step)) for step in chain(500, tmp_path)]
    assert max(sizes[250:]) <= 1.1 * max(sizes[:250])


def test_a_chain_is_read_back_through_the_folders_of_its_tasks(tmp_path: Path) -> None:
    length = 3 * writing.DEEPEST
    last = None
    for i in range(length):
        last = submitted(Step.C(i=i, previous=last), tmp_path)
    step, seen = loaded(last).task, []
    while step is not None:
        seen.append(step.i)
        step = step.previous
    assert seen == list(range(length - 1, -1, -1))


def test_two_ways_to_one_folder_lead_to_one_object(tmp_path: Path) -> None:
    last = None
    for i in range(writing.DEEPEST):
        last = submitted(Step.C(i=i, previous=last), tmp_path)
    assert last is not None
    left = submitted(Step.C(i=1001, previous=last), tmp_path)
    right = submitted(Step.C(i=1002, previous=last), tmp_path)
    top = loaded(submitted(Step.C(i=1003, more=[left, right]), tmp_path)).task
    assert top.more[0].previous is top.more[1].previous
    assert top.more[0].previous.i == writing.DEEPEST - 1


def test_what_is_written_does_not_depend_on_what_is_remembered(tmp_path: Path) -> None:
    steps = list(chain(2 * writing.DEEPEST, tmp_path))
    texts = [params.text(step) for step in steps]
    writing._written.clear()
    assert [params.text(step) for step in reversed(steps)] == texts[::-1]


def test_a_file_that_is_gone_or_broken_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cannot read a task from .*params\.json"):
        load(tmp_path)
    (tmp_path / "params.json").write_text("{")
    with pytest.raises(ValueError, match=r"cannot read a task from .*params\.json"):
        load(tmp_path)
    (tmp_path / "params.json").write_text('{"version": 99}')
    with pytest.raises(ValueError, match="is of version 99"):
        load(tmp_path)


# Classes that another process finds again.


def run(source: str, folder: Path, *arguments: str) -> str:
    """Run a script as its user would, and return what it printed."""
    script = folder / "my-study.py"
    if source:
        script.write_text(textwrap.dedent(source))
    command = [sys.executable, *(arguments or [str(script)])]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


SCRIPT = """
    from __future__ import annotations
    import sys
    from pathlib import Path
    from hsched.experiment import Config, Task, Param
    import helpers

    print("imported as", __name__)

    class Sum(Task):
        numbers: Param[helpers.Numbers]

        def execute(self):
            print(sum(self.numbers.all), type(self).__module__)

    if __name__ == "__main__":
        from hsched.experiment import params
        from hsched.experiment.sealing import Context, seal
        from hsched.experiment.state import state_of
        task = Sum.C(numbers=helpers.Numbers.C(all=[1, 2]))
        seal(task, Context(Path("w").absolute()))
        folder = state_of(task).folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "params.json").write_text(params.text(task))
        print(folder)
"""

RUN_TASK = """
import json, pathlib, sys
from hsched.experiment import params
folder = pathlib.Path(sys.argv[1])
params.read(json.loads((folder / "params.json").read_text()), folder).execute()
"""


def test_the_classes_of_a_script_are_found_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "helpers.py").write_text(
        "from hsched.experiment import Config, Param\n"
        "class Numbers(Config):\n    all: Param[list[int]]\n"
    )
    first, folder = run(SCRIPT, tmp_path).split("\n")[:2]
    assert first == "imported as __main__"
    assert "/jobs/my-study.sum/" in folder
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    said = run("", elsewhere, "-c", RUN_TASK, folder)
    assert said.splitlines() == ["imported as my-study", "3 my-study"]


def test_a_class_within_a_function_is_refused(tmp_path: Path) -> None:
    class Hidden(Task):
        pass

    task = Hidden.C()
    seal(task, Context(tmp_path))
    with pytest.raises(TypeError, match=r"class .*Hidden \(.*test_params.py:\d+\): it is defined"):
        params.text(task)


def test_a_class_that_was_typed_in_is_refused(tmp_path: Path) -> None:
    code = textwrap.dedent("""
        from pathlib import Path
        from hsched.experiment import Task, params
        from hsched.experiment.sealing import Context, seal
        class Typed(Task): pass
        task = Typed.C()
        seal(task, Context(Path("w")))
        try:
            params.text(task)
        except TypeError as error:
            print(error)
    """)
    assert "was typed in, or read from standard input" in run("", tmp_path, "-c", code)


class Gone(Task):
    pass


def test_a_class_that_is_gone_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = submitted(Gone.C(), tmp_path)
    monkeypatch.delattr(sys.modules[__name__], "Gone")
    with pytest.raises(ImportError, match=f"no class Gone in {__name__} any more"):
        loaded(task)


# Partial identities, and where the main folder is.


ITERATIONS = param_group("iterations")


class Train(ResumableTask):
    rate: Param[float]
    epochs: Param[int] = field(groups=[ITERATIONS])
    model: Param[Model] = field(default_factory=Model.C)
    checkpoints = partial(exclude_groups=[ITERATIONS])
    alone = partial(exclude_all=True, include_groups=[ITERATIONS])
    checkpoint: Meta[Path] = field(default_factory=PathGenerator("c.pth", partial=checkpoints))


def trained(workspace: Path, **values: Any) -> Any:
    return submitted(Train.C(**values), workspace)


def test_tasks_that_differ_in_a_group_share_a_folder(tmp_path: Path) -> None:
    short, long = trained(tmp_path, rate=1, epochs=1), trained(tmp_path, rate=1, epochs=9)
    other = trained(tmp_path, rate=2, epochs=9)
    assert short.checkpoint == long.checkpoint != other.checkpoint
    assert state_of(short).folder != state_of(long).folder
    shared = tmp_path / "partials" / "tests.experiment.test_params.train" / "checkpoints"
    assert short.checkpoint.parent.parent == shared
    assert loaded(long).task.__maintaskdir__ == long.checkpoint.parent


class Writes(Train):
    def execute(self) -> None:
        self.held = [not Lock(f"{one}.lock").try_acquire() for one in self.folders()]
        self.checkpoint.write_text("there is a folder")

    def folders(self) -> list[Path]:
        return [self.checkpoint.parent, self.__maintaskdir__]


def test_a_task_has_its_shared_folders_to_itself(tmp_path: Path) -> None:
    task = submitted(Writes.C(rate=1, epochs=1), tmp_path)
    one = loaded(task)
    one.execute()
    assert one.task.held == [True, True]
    lock = Lock(f"{task.checkpoint.parent}.lock")
    assert lock.try_acquire()
    lock.release()
    assert task.checkpoint.read_text() == "there is a folder"


class Deep(Config):
    file: Meta[Path] = field(default_factory=PathGenerator("a/b"))


class WritesDeep(Task):
    deep: Param[Deep]

    def execute(self) -> None:
        self.deep.file.write_text("x")


def test_there_is_a_folder_for_each_generated_path(tmp_path: Path) -> None:
    task = submitted(WritesDeep.C(deep=Deep.C()), tmp_path)
    loaded(task).execute()
    assert (tmp_path / task.jobpath / "out" / "deep" / "a" / "b").read_text() == "x"


def test_a_partial_identity_keeps_what_it_includes(tmp_path: Path) -> None:
    def _alone(**values: Any) -> bytes:
        return Train.alone.identifier(Train.C(**values))  # type: ignore[no-any-return]

    assert _alone(rate=1, epochs=1) == _alone(rate=2, epochs=1) != _alone(rate=1, epochs=2)
    small = Train.checkpoints.identifier(Train.C(rate=1, epochs=1))
    large = Train.checkpoints.identifier(Train.C(rate=1, epochs=1, model=Model.C(size=9)))
    assert small != large


def test_each_task_of_a_chain_costs_the_same(tmp_path: Path) -> None:
    def _calls(steps: int) -> int:
        """Return how many functions are called for the next tasks of the chain."""
        count = 0

        def _note(frame: Any, event: str, argument: Any) -> None:
            nonlocal count
            count += event == "call"

        sys.setprofile(_note)
        try:
            for _ in range(steps):
                step = next(tasks)
                dependencies(step)
                params.text(step)
        finally:
            sys.setprofile(None)
        return count

    tasks = chain(20 * writing.DEEPEST, tmp_path)
    _calls(writing.DEEPEST)  # what is worked out once for a class
    early = _calls(2 * writing.DEEPEST)
    _calls(10 * writing.DEEPEST)
    assert _calls(2 * writing.DEEPEST) <= 1.05 * early
