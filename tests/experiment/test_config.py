"""Configurations: what they take, what they refuse, and how that is said."""

from __future__ import annotations

import copy
import enum
import pickle
import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Generic, Literal, Optional, TypeVar, Union

import pytest

from hsched.errors import HschedError
from hsched.experiment import (
    Annotated,
    Choices,
    Config,
    Constant,
    Meta,
    Option,
    Param,
    PathGenerator,
    Task,
    copyconfig,
    field,
    initializer,
    params,
    pathgenerator,
    setmeta,
)
from hsched.experiment.identity import identifier
from hsched.experiment.kinds import Kind
from hsched.experiment.schema import schema_of
from hsched.experiment.sealing import Context, seal, validate
from hsched.experiment.state import state_of


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Model(Config):
    size: Param[int]
    name: Param[str] = "plain"


class Large(Model):
    depth: Param[int] = 3


class Everything(Config):
    i: Param[int] = 0
    f: Param[float] = 0.0
    s: Param[str] = ""
    b: Param[bool] = False
    y: Param[bytes] = b""
    p: Param[Path] = Path()
    e: Param[Colour] = Colour.RED
    li: Param[list[int]] = []  # noqa: RUF012 - a default of its own for each
    se: Param[set[int]] = field(default_factory=set)
    fs: Param[frozenset[str]] = frozenset()
    d: Param[dict[str, float]] = {}  # noqa: RUF012
    t: Param[tuple[int, str]] = (0, "")
    ts: Param[tuple[int, ...]] = ()
    u: Param[Union[int, str]] = 0  # noqa: UP007 - both spellings are tested
    n: Param[int | None] = None
    o: Param[Optional[str]] = None  # noqa: UP045
    li2: Param[list[list[float]]] = []  # noqa: RUF012
    lit: Param[Literal["a", "b", 3]] = "a"
    ch: Param[Annotated[int, Choices([1, 2])]] = 1
    m: Param[Model | None] = None
    a: Param[Any] = None


class Learn(Task):
    model: Param[Model]
    rate: Param[float] = 0.1
    weights: Meta[Path] = field(default_factory=PathGenerator("weights.pth"))


@pytest.mark.parametrize(
    ("name", "given", "held"),
    [
        ("i", "12", 12),
        ("i", 1.0, 1),
        ("i", True, 1),
        ("i", 2**200, 2**200),
        ("f", 1, 1.0),
        ("f", "1e-3", 0.001),
        ("b", 1, True),
        ("b", "no", False),
        ("y", bytearray(b"x"), b"x"),
        ("p", "a/b", Path("a/b")),
        ("e", Colour.BLUE, Colour.BLUE),
        ("li", [1, "2"], [1, 2]),
        ("se", {1}, {1}),
        ("fs", frozenset({"a"}), frozenset({"a"})),
        ("d", {"x": 1}, {"x": 1.0}),
        ("t", (1, "a"), (1, "a")),
        ("t", [1, "a"], (1, "a")),
        ("ts", (1, 2, 3), (1, 2, 3)),
        ("u", "12", "12"),
        ("u", 12, 12),
        ("n", None, None),
        ("o", "x", "x"),
        ("li2", [[1], []], [[1.0], []]),
        ("lit", "b", "b"),
        ("lit", 3, 3),
        ("ch", 2, 2),
        ("a", [1, "x", None], [1, "x", None]),
    ],
)
def test_a_value_is_made_exact_when_it_is_given(name: str, given: Any, held: Any) -> None:
    value = getattr(Everything.C(**{name: given}), name)
    assert value == held
    assert type(value) is type(held)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("i", 1.5),
        ("i", "x"),
        ("i", []),
        ("f", "x"),
        ("s", 1),
        ("s", b"x"),
        ("b", 2),
        ("b", "perhaps"),
        ("y", "x"),
        ("p", 3),
        ("e", 1),
        ("e", "RED"),
        ("li", (1, 2)),
        ("li", [None]),
        ("li2", [[1.0], ["x"]]),
        ("li", {1}),
        ("se", [1]),
        ("fs", {"a"}),
        ("d", {"x": "y"}),
        ("d", [("x", 1)]),
        ("t", (1,)),
        ("t", (1, 2)),
        ("u", 1.5),
        ("lit", "c"),
        ("lit", 3.0),
        ("ch", 3),
        ("m", 3),
        ("m", Learn),
    ],
)
def test_a_wrong_value_is_refused_with_parameter_value_and_place(name: str, given: Any) -> None:
    with pytest.raises(ValueError, match=f"Invalid value for parameter '{name}' of ") as caught:
        Everything.C(**{name: given})
    text = str(caught.value)
    assert re.search(r"\(set at .*/test_config\.py:\d+\)", text)
    assert repr(given) in text
    assert isinstance(caught.value, HschedError)


def test_a_wrong_member_is_named_with_its_place() -> None:
    with pytest.raises(
        ValueError, match=r"\[\[1\], \['x'\]\] \(list\), at 1: .*, at 0: 'x' \(str\)"
    ):
        Everything.C(li2=[[1], ["x"]])  # type: ignore[list-item]


def test_the_place_is_the_line_that_gave_the_value() -> None:
    config = Model.C(size=1)
    with pytest.raises(ValueError, match="set at") as caught:
        config.size = "many"  # type: ignore[assignment]
    line = caught.traceback[0].lineno + 1
    assert f"test_config.py:{line})" in str(caught.value)


def test_an_unknown_parameter_is_refused_and_the_known_are_listed() -> None:
    with pytest.raises(ValueError, match=r"zz is not an argument for .*Model .*: size, name"):
        Model.C(zz=1)  # type: ignore[call-arg]


def test_none_is_no_value_for_what_is_required() -> None:
    with pytest.raises(AttributeError, match="Cannot set required attribute 'size' to None"):
        Model.C(size=None)  # type: ignore[arg-type]


def test_what_is_missing_is_named_with_the_line_that_built_it() -> None:
    learn = Learn.C(model=Model.C())  # type: ignore[call-arg]
    with pytest.raises(
        ValueError, match=r"Value size is required but missing when building Model.*py:\d+"
    ):
        validate(learn)


def test_what_was_never_set_cannot_be_read() -> None:
    model = Model.C()  # type: ignore[call-arg]
    with pytest.raises(KeyError, match=r"parameter 'size' of .*Model .* has no value"):
        _ = model.size
    assert not hasattr(model, "size")
    with pytest.raises(AttributeError, match="no attribute 'zz'"):
        _ = model.zz  # type: ignore[attr-defined]


def test_a_configuration_is_wanted_and_not_an_object() -> None:
    with pytest.raises(AttributeError, match=r"Consider using Model\.C"):
        Learn.C(model=Model.C(size=1).instance())
    with pytest.raises(AttributeError, match=r"Consider using Model\.C"):
        Everything.C(m=Model.C(size=1).instance())


def test_a_derived_class_fits_and_another_does_not() -> None:
    assert Learn.C(model=Large.C(size=1)).model.size == 1
    with pytest.raises(ValueError, match="is not a subtype of Model"):
        Learn.C(model=Everything.C())  # type: ignore[arg-type]


def test_calling_the_class_builds_a_configuration() -> None:
    model = Model(size="3")  # type: ignore[arg-type]
    assert model.size == 3
    assert state_of(model).line[0].endswith("test_config.py")
    with pytest.raises(TypeError, match="by name"):
        Model(3)  # type: ignore[call-arg]


def test_attributes_can_change_until_the_task_is_submitted(tmp_path: Path) -> None:
    learn = Learn.C(model=Model.C(size=1))
    learn.rate = 3
    learn.note = "mine"  # type: ignore[attr-defined]
    seal(learn, Context(tmp_path))
    for name in ("rate", "note", "another"):
        with pytest.raises(AttributeError, match="Object is read-only"):
            setattr(learn, name, 4)
    with pytest.raises(AttributeError, match="Object is read-only"):
        learn.model.size = 2
    with pytest.raises(AttributeError, match="Object is read-only"):
        del learn.rate
    assert (learn.rate, learn.model.size) == (3.0, 1)


def test_what_is_sealed_twice_was_submitted_twice(tmp_path: Path) -> None:
    learn = Learn.C(model=Model.C(size=1))
    seal(learn, Context(tmp_path))
    with pytest.raises(ValueError, match=r"already submitted \(built at .*test_config.py"):
        seal(learn, Context(tmp_path))


def test_a_seal_that_fails_leaves_everything_as_it_was(tmp_path: Path) -> None:
    learn = Learn.C(model=Model.C())  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="size"):
        seal(learn, Context(tmp_path))
    learn.model.size = 2
    seal(learn, Context(tmp_path))
    assert state_of(learn.model).sealed


class Bounded(Config):
    low: Param[int]
    high: Param[int]

    def __validate__(self) -> None:
        if self.low > self.high:
            raise ArithmeticError("low is above high")


class UsesBounded(Task):
    bounds: Param[list[Bounded]]


def test_the_users_own_check_runs_wherever_the_configuration_stands(tmp_path: Path) -> None:
    task = UsesBounded.C(bounds=[Bounded.C(low=1, high=2), Bounded.C(low=3, high=2)])
    with pytest.raises(ArithmeticError, match="low is above high"):
        seal(task, Context(tmp_path))


# Defaults and declarations.


def test_a_default_is_shared_with_nobody() -> None:
    first, second = Everything.C(), Everything.C()
    first.li.append(1)
    first.d["x"] = 1.0
    assert (second.li, second.d) == ([], {})


class WithDefault(Config):
    model: Param[Model] = Model.C(size=7)


def test_a_configuration_as_a_default_is_copied() -> None:
    first, second = WithDefault.C(), WithDefault.C()
    first.model.size = 8
    assert (second.model.size, first.model.size) == (7, 8)


@pytest.mark.parametrize(
    "declare",
    [
        lambda: field(default=1, default_factory=lambda: 2),  # type: ignore[call-overload]
        lambda: field(default=1, ignore_default=2),  # type: ignore[call-overload]
    ],
)
def test_two_defaults_are_one_too_many(declare: Callable[[], Any]) -> None:
    with pytest.raises(TypeError, match="field:"):
        declare()


class BadDefault(Config):
    size: Param[int] = "many"  # type: ignore[assignment]


class BadType(Config):
    size: Param[complex]


class BadName(Config):
    size: Param[Nowhere]  # type: ignore[name-defined]  # noqa: F821


class BadConstant(Config):
    size: Constant[int]


@pytest.mark.parametrize(
    ("cls", "why"),
    [
        (BadDefault, "its default does not fit: 'many'"),
        (BadType, "no parameter can be of type complex"),
        (BadName, "Nowhere"),
        (BadConstant, "cannot be without a value"),
    ],
)
def test_a_wrong_declaration_is_told_when_the_class_is_used(cls: Any, why: str) -> None:
    with pytest.raises(TypeError, match=r"parameter 'size' of Bad\w+ \(.*test_config") as caught:
        cls.C()
    assert why in str(caught.value)


class Optionals(Config):
    first: Param[Optional[str]]  # noqa: UP045
    second: Param[Model | None]


def test_what_may_be_none_is_none_by_default() -> None:
    config = Optionals.C()  # type: ignore[call-arg]
    assert (config.first, config.second) == (None, None)


class Fixed(Config):
    version: Constant[int] = 2


def test_a_constant_cannot_be_set() -> None:
    assert Fixed.C().version == 2
    with pytest.raises(AttributeError, match="Property version is read-only"):
        Fixed.C(version=3)


class NotAll(Config):
    """Only annotations of this package are parameters."""

    plain: int = 3
    quoted: "Param[int]" = 1  # noqa: UP037
    nowhere: Elsewhere  # type: ignore[name-defined]  # noqa: F821
    old: Option[int] = 4

    def method(self) -> int:
        return self.quoted + self.plain


def test_other_annotations_are_left_alone() -> None:
    assert list(schema_of(NotAll).by_name) == ["quoted", "old"]
    assert NotAll.C(quoted=2).method() == 5  # type: ignore[call-arg]


class Parent(Config):
    x: Param[int] = 1
    model: Param[Model | None] = None


class Silent(Parent):
    x: Param[int] = field(default=2, overrides=True)
    model: Param[Large | None] = field(default=None, overrides=True)


class Loud(Parent):
    x: Param[int] = 2


class Clash(Parent):
    x: Param[str] = field(default="a", overrides=True)  # type: ignore[assignment]


def test_a_parameter_is_replaced_on_purpose_or_with_a_warning() -> None:
    assert Silent.C().x == 2
    with pytest.warns(UserWarning, match=r"Loud\.x replaces the parameter of Parent"):
        assert Loud.C().x == 2
    with pytest.raises(TypeError, match="it is str, and int in Parent"):
        Clash.C()


# Generated paths.


class Old(Task):
    inside: Annotated[Path, pathgenerator("x")]


class Cache(Config):
    index: Meta[Path] = field(default_factory=PathGenerator("index"))
    named: Meta[Path] = field(default_factory=PathGenerator(lambda context, config: "called"))


class Indexer(Task):
    v: Param[Cache]
    more: Param[list[Cache]] = field(default_factory=list)
    own: Meta[Path] = field(default_factory=lambda context, config: context.path / "own.txt")


def test_paths_are_made_when_the_task_is_submitted(tmp_path: Path) -> None:
    task = Indexer.C(v=Cache.C(), more=[Cache.C()])
    assert not hasattr(task, "own")
    seal(task, Context(tmp_path))
    folder = state_of(task).folder
    assert folder is not None
    assert folder.parent == tmp_path / "jobs" / "tests.experiment.test_config.indexer"
    assert task.own == folder / "own.txt"
    assert task.v.index == folder / "out" / "v" / "index"
    assert task.v.named == folder / "out" / "v" / "called"
    assert task.more[0].index == folder / "out" / "more" / "0" / "index"


def test_the_older_annotation_for_a_path(tmp_path: Path) -> None:
    task = Old.C()  # type: ignore[call-arg]
    seal(task, Context(tmp_path))
    assert task.inside == state_of(task).folder / "x"  # type: ignore[operator]


def test_a_generated_path_cannot_be_given() -> None:
    with pytest.raises(AttributeError, match="Property index is read-only"):
        Cache.C(index=Path("x"))


def _wrong(context: Any, config: Any) -> Path:
    raise LookupError("no such place")


class Wrong(Task):
    v: Param[Cache]
    path: Meta[Path] = field(default_factory=PathGenerator(_wrong))


def test_a_path_that_cannot_be_made_leaves_everything_as_it_was(tmp_path: Path) -> None:
    task = Wrong.C(v=Cache.C())
    with pytest.raises(LookupError, match="no such place"):
        seal(task, Context(tmp_path))
    assert not hasattr(task.v, "index")
    assert not state_of(task.v).sealed


class Link(Config):
    below: Param[list[Any]]


class Holds(Task):
    link: Param[Link]


def test_depth_and_sharing_are_no_matter(tmp_path: Path) -> None:
    link = Link.C(below=[Cache.C()])
    for _ in range(1100):
        link = Link.C(below=[link, link])
    task = Holds.C(link=link)
    seal(task, Context(tmp_path))
    with pytest.raises(AttributeError, match=r"help you: link\.(below\.){1101}index, "):
        Holds.C(link=link)
    assert params.text(task).count('"type": "Link"') == 1101


class Tolerant(Task):
    v: Param[Cache] = field(ignore_generated=True)


class Nested(Config):
    inner: Param[Cache]


class UsesNested(Task):
    nested: Param[Nested]


def test_generated_paths_are_not_reused_by_another_task(tmp_path: Path) -> None:
    cache = Cache.C()
    nested = Nested.C(inner=cache)
    before = Indexer.C(v=cache)
    seal(Indexer.C(v=cache), Context(tmp_path))
    for refused in (
        lambda: Indexer.C(v=cache),
        lambda: Indexer.C(v=Cache.C(), more=[cache]),
        lambda: seal(before, Context(tmp_path)),
        lambda: seal(UsesNested.C(nested=nested), Context(tmp_path)),
    ):
        with pytest.raises(AttributeError, match="configuration with generated values") as caught:
            refused()
        assert ".index" in str(caught.value)
    assert Tolerant.C(v=cache).v is cache
    assert Indexer.C(v=copyconfig(cache)).v is not cache


def test_a_task_has_to_be_submitted_before_it_is_given(tmp_path: Path) -> None:
    class Uses(Task):
        learn: Param[Learn]

    learn = Learn.C(model=Model.C(size=1))
    with pytest.raises(ValueError, match="must be submitted before giving it"):
        Uses.C(learn=learn)
    seal(learn, Context(tmp_path))
    assert Uses.C(learn=learn).learn is learn


def test_a_copy_can_be_changed_and_shares_its_parts(tmp_path: Path) -> None:
    learn = Learn.C(model=Model.C(size=1))
    seal(learn, Context(tmp_path))
    copy = copyconfig(learn, rate="0.5")
    assert (copy.rate, learn.rate) == (0.5, 0.1)
    assert copy.model is learn.model
    copy.rate = 0.7
    assert not hasattr(copy, "weights")
    assert learn.copy().rate == learn.rate


def test_a_part_finds_its_place() -> None:
    model = Model.C(size=3)
    learn = Learn.C() @ model  # type: ignore[call-arg]
    assert learn.model is model
    with pytest.raises(ValueError, match="it fits none"):
        _ = learn @ Fixed.C()


def test_a_configuration_has_a_hash_once_it_cannot_change(tmp_path: Path) -> None:
    first, second = (Learn.C(model=Model.C(size=1)) for _ in range(2))
    with pytest.raises(TypeError, match="can still change"):
        hash(first)
    assert first != second
    seal(first, Context(tmp_path))
    seal(second, Context(tmp_path))
    assert first == second
    assert len({first, second}) == 1


def test_whether_it_counts_cannot_change_any_more(tmp_path: Path) -> None:
    learn = Learn.C(model=Model.C(size=1))
    seal(learn, Context(tmp_path))
    with pytest.raises(AttributeError, match="Object is read-only"):
        setmeta(learn.model, True)


def test_two_threads_may_share_what_they_submit(tmp_path: Path) -> None:
    models = [Model.C(size=size) for size in range(200)]
    failed: list[BaseException] = []

    def _submit(rate: float) -> None:
        try:
            for model in models:
                task = Learn.C(model=model, rate=rate)
                seal(task, Context(tmp_path))
                params.text(task)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=_submit, args=(rate,)) for rate in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    fresh = [identifier(Model.C(size=size)) for size in range(200)]
    assert [identifier(model) for model in models] == fresh


def test_it_is_shown_as_it_was_written() -> None:
    learn = Learn.C(model=Model.C(size=1))
    assert repr(learn) == "Learn.C(model=Model.C(...), rate=0.1)"
    assert repr(learn.model) == "Model.C(size=1, name='plain')"
    assert len(repr(Model.C(size=1, name="long" * 100))) < 100


class Meddler(Config):
    """Parameters may be called like methods."""

    tags: Param[int] = 1  # type: ignore[assignment]
    copy: Param[int] = 2  # type: ignore[assignment]


class Jobber(Task):
    job: Param[int]
    wait: Param[int]  # type: ignore[assignment]


def test_a_parameter_may_have_the_name_of_a_method(tmp_path: Path) -> None:
    meddler = Meddler.C()
    assert (meddler.tags, meddler.copy) == (1, 2)
    jobber = Jobber.C(job=3, wait=4)
    seal(jobber, Context(tmp_path))
    assert (jobber.job, jobber.wait) == (3, 4)


class Awkward(Config):
    cls: Param[int] = 1
    config: Param[int] = 2
    values: Param[int] = 3
    name: Param[int] = 4
    C: Param[int] = 5


def test_a_parameter_may_have_any_name() -> None:
    awkward = Awkward.C(cls=7, config=7, values=7, name=7, C=7)
    changed = copyconfig(awkward, config=8, name=8)
    assert list(vars(changed.instance()).values())[-5:] == [7, 8, 7, 8, 7]
    assert Awkward(cls=2).cls == 2


B = TypeVar("B", bound=int)


class Broad(Config, Generic[B]):
    bare: Param[list] = []  # type: ignore[type-arg]  # noqa: RUF012
    names: Param[dict] = {}  # type: ignore[type-arg]  # noqa: RUF012
    row: Param[tuple] = ()  # type: ignore[type-arg]
    thing: Param[object] = None
    pure: Param[PurePath] = PurePath()
    items: Param[Sequence[int]] = [1]  # noqa: RUF012
    table: Param[Mapping[str, int]] = {"a": 1}  # noqa: RUF012
    bound: Param[B | None] = None
    nothing: Param[None] = None


def test_broader_types_take_what_they_say() -> None:
    config = Broad.C(bare=["a", 1], names={1: "a"}, row=[1, "b"], thing=(2,), bound="3")  # type: ignore[arg-type]
    assert (config.bare, config.names, config.row) == (["a", 1], {1: "a"}, (1, "b"))
    assert (config.thing, config.bound, config.items, config.table) == ((2,), 3, [1], {"a": 1})
    for wrong in ({"bare": (1,)}, {"row": 3}, {"bound": "x"}, {"nothing": 1}, {"table": {1: 1}}):
        with pytest.raises(ValueError, match="Invalid value for parameter"):
            Broad.C(**wrong)


class Numberlike:
    """As a number of numpy is: no int, and yet one."""

    def __index__(self) -> int:
        return 7

    def __float__(self) -> float:
        return 7.5


class Textlike(str):
    __slots__ = ()


def test_numbers_and_texts_of_other_libraries_become_plain_ones() -> None:
    config = Everything.C(i=Numberlike(), f=Numberlike(), s=Textlike("a"))  # type: ignore[arg-type]
    assert [type(one) for one in (config.i, config.f, config.s)] == [int, float, str]
    assert (config.i, config.f, config.s) == (7, 7.5, "a")


def test_kinds_say_what_they_take() -> None:
    kinds = {name: one.kind.name for name, one in schema_of(Everything).by_name.items()}
    assert kinds["d"] == "dict[str, float]"
    assert kinds["t"] == "tuple[int, str]"
    assert kinds["n"] == "int | None"
    assert kinds["ch"] == "one of 1, 2"
    assert Kind().name == kinds["a"]


# Beside other classes.


class Bare:
    """Like a library's base class: it fills itself in, and minds what is set."""

    if not TYPE_CHECKING:

        def __init__(self) -> None:
            object.__setattr__(self, "parts", {})

        def __setattr__(self, name: str, value: Any) -> None:
            self.parts[name] = value

        def __getattr__(self, name: str) -> Any:
            return vars(self)["parts"][name]


class Module(Config, Bare):
    size: Param[int] = 2


class Shape(Config, ABC):
    @abstractmethod
    def area(self) -> float: ...


class Square(Shape):
    side: Param[float]

    def area(self) -> float:
        return self.side**2


T = TypeVar("T")


class Box(Config, Generic[T]):
    item: Param[T]


class IntBoxes(Config):
    boxes: Param[list[Box[int]]]


def test_other_base_classes_work_as_they_do_alone() -> None:
    config = Module.C(size=3)
    assert config.size == 3
    assert vars(config.instance())["parts"] == {"size": 3}
    assert Square.C(side=3).area() == 9.0
    with pytest.raises(TypeError, match="abstract"):
        Shape.C()
    assert IntBoxes.C(boxes=[Box[int].C(item=1)]).boxes[0].item == 1


def test_names_of_a_function_are_known_to_the_annotations_in_it() -> None:
    class Inner(Config):
        x: Param[int] = 1

    class Outer(Config):
        inner: Param[Inner]

    assert Outer.C(inner=Inner.C(x=3)).inner.x == 3


class Costly(Config):
    model: Param[Model]


class Light(Model):
    size: Param[int] = field(default=1, overrides=True)


@Light.value_class()
class Heavy(Light):
    weights = "loaded where a task runs"


def test_another_class_may_stand_in_where_a_task_runs() -> None:
    config = Costly.C(model=Light.C(size=4))
    assert not isinstance(config.model, Heavy)
    one = config.instance()
    assert isinstance(one.model, Heavy)
    assert (one.model.size, one.model.weights) == (4, "loaded where a task runs")
    assert Heavy.C is Light.C


def test_copies_are_made_as_python_makes_them(tmp_path: Path) -> None:
    learn = Learn.C(model=Model.C(size=3))
    flat, deep, pickled = copy.copy(learn), copy.deepcopy(learn), pickle.loads(pickle.dumps(learn))
    assert flat.model is learn.model
    for one in (deep, pickled):
        assert one.model is not learn.model
        assert identifier(one) == identifier(learn)
        assert state_of(one).number != state_of(learn).number


def test_what_no_parameter_can_hold_is_named(tmp_path: Path) -> None:
    class Loose(Task):
        counted: Param[Any] = None
        beside: Meta[Any] = None

    with pytest.raises(
        ValueError, match=r"'counted' of .*Loose \(built at .*py:\d+\): .* identity"
    ):
        seal(Loose.C(counted=[object()]), Context(tmp_path))
    with pytest.raises(ValueError, match="parameter 'a' of Everything"):
        params.text(Everything.C(a=object()))


class Once(Config):
    calls: Meta[int] = 0

    @initializer
    def prepare(self, by: int) -> int:
        self.calls += by
        return self.calls


def test_an_initializer_runs_once() -> None:
    one = Once.C().instance()
    assert (one.prepare(2), one.prepare(3), one.calls) == (2, 2, 2)
