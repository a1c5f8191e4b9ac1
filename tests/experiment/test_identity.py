"""The identity: what makes two configurations one, and what does not."""

from __future__ import annotations

import enum
import math
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsched.experiment import (
    Config,
    Constant,
    InstanceConfig,
    LightweightTask,
    Meta,
    Param,
    PathGenerator,
    Task,
    field,
    setmeta,
    tag,
)
from hsched.experiment.encoding import encode
from hsched.experiment.identity import identifier, identity_of, qualified_name
from hsched.experiment.marking import Marker
from hsched.experiment.sealing import Context, seal


class Colour(enum.Enum):
    RED = 1
    CRIMSON = 1
    BLUE = 2


class Shade(enum.Enum):
    RED = 1


class Bits(enum.Flag):
    A = 1
    B = 2


class Leaf(Config):
    x: Param[int] = 1


class Other(Config):
    x: Param[int] = 1


class Renamed(Config):
    __xpmid__ = "tests.experiment.test_identity.leaf"
    x: Param[int] = 1


class FirstVersion(Config):
    __xpmid__ = "versioned"
    version: Constant[int] = 1


class SecondVersion(Config):
    __xpmid__ = "versioned"
    version: Constant[int] = 2


class Values(Config):
    """All that can be told apart, and all that cannot."""

    i: Param[int] = 0
    f: Param[float] = 1.5
    b: Param[bool] = False
    s: Param[str] = ""
    any: Param[Any] = None
    opt: Param[int | None] = None
    opt3: Param[int | None] = 3
    kept: Param[int] = field(default=5)
    left: Param[int] = field(default=5, ignore_default=True)
    legacy: Param[int] = field(ignore_default=7)
    items: Param[list[Any]] = field(default_factory=list)
    names: Param[dict[str, Any]] = field(default_factory=dict)
    leaf: Param[Leaf] = Leaf.C()
    leaves: Param[list[Leaf]] = [Leaf.C()]  # noqa: RUF012
    path: Param[Path] = Path("a")
    maybe: Param[Path | None] = None
    meta: Meta[int] = 1
    meta_leaf: Meta[Leaf] = Leaf.C()
    made: Meta[Path] = field(default_factory=PathGenerator("made"))
    made_param: Param[str] = field(default_factory=PathGenerator("made"))  # type: ignore[assignment]
    version: Constant[int] = 1
    nan: Param[float] = math.nan


V: Any = Values.C
NAN = struct.unpack(">d", b"\xff\xf8\x00\x00\x00\x00\x00\x01")[0]

#: (one, other, whether they are the same)
CLASSES: dict[str, tuple[Callable[[], Any], Callable[[], Any], bool]] = {
    # What counts: class, and parameters by name.
    "the same values": (lambda: V(), lambda: V(), True),
    "another value of a parameter": (lambda: V(i=1), lambda: V(i=2), False),
    "the same value of another parameter": (lambda: V(i=1), lambda: V(opt=1), False),
    "the same values of another class": (lambda: Leaf.C(), lambda: Other.C(), False),
    "a class renamed, its old name kept as `__xpmid__`": (
        lambda: Leaf.C(x=2),
        lambda: Renamed.C(x=2),
        True,
    ),
    "a part of another class": (lambda: V(any=Leaf.C()), lambda: V(any=Other.C()), False),
    "values given in another order": (lambda: V(i=1, s="a"), lambda: V(s="a", i=1), True),
    "another `Constant`": (lambda: FirstVersion.C(), lambda: SecondVersion.C(), False),
    # Defaults.
    "`x: Param[int] = 0`, and 0 given": (lambda: V(), lambda: V(i=0), True),
    "`field(default=5)`, and 5 given": (lambda: V(), lambda: V(kept=5), True),
    "`field(default=5)`, and 6 given": (lambda: V(), lambda: V(kept=6), False),
    "`field(default=5, ignore_default=True)`, and 5 given": (
        lambda: V(),
        lambda: V(left=5, legacy=7),
        True,
    ),
    "`field(default=5, ignore_default=True)`, and 6 given": (lambda: V(), lambda: V(left=6), False),
    "`field(ignore_default=7)`, and 8 given": (lambda: V(), lambda: V(legacy=8), False),
    "None for an optional parameter, and nothing given": (lambda: V(), lambda: V(opt=None), True),
    "None for an optional parameter whose default is 3": (lambda: V(), lambda: V(opt3=None), False),
    "a configuration that equals the default": (lambda: V(), lambda: V(leaf=Leaf.C(x=1)), True),
    "a configuration unlike the default": (lambda: V(), lambda: V(leaf=Leaf.C(x=2)), False),
    "a list that equals the default": (lambda: V(), lambda: V(leaves=[Leaf.C()]), True),
    "a list longer than the default": (lambda: V(), lambda: V(leaves=[Leaf.C(), Leaf.C()]), False),
    "NaN given, where it is the default": (lambda: V(), lambda: V(nan=NAN), True),
    # What does not count.
    "another `Meta`": (lambda: V(meta=1), lambda: V(meta=2), True),
    "another configuration as `Meta`": (lambda: V(), lambda: V(meta_leaf=Leaf.C(x=2)), True),
    "one with `setmeta(it, False)`": (
        lambda: V(),
        lambda: V(meta_leaf=setmeta(Leaf.C(x=2), False)),
        False,
    ),
    "another configuration as `Param` with `setmeta(it, True)`": (
        lambda: V(leaf=setmeta(Leaf.C(x=2), True)),
        lambda: V(leaf=setmeta(Leaf.C(x=3), True)),
        True,
    ),
    "a list without such a one": (
        lambda: V(items=[1, setmeta(Leaf.C(), True)]),
        lambda: V(items=[1]),
        True,
    ),
    "a dict without such a one": (
        lambda: V(names={"a": 1, "b": setmeta(Leaf.C(), True)}),
        lambda: V(names={"a": 1}),
        True,
    ),
    "another `Path`": (lambda: V(path="a"), lambda: V(path="b"), True),
    "a `Path` and None": (lambda: V(maybe="a"), lambda: V(), True),
    "another path in a list": (lambda: V(items=[Path("a")]), lambda: V(items=[Path("b")]), True),
    "a tag on a value": (lambda: V(i=tag(1)), lambda: V(i=1), True),
    "a tag that is no parameter": (lambda: V().tag("a", 1), lambda: V(), True),
    # Numbers.
    "1 and 1.0 for `Param[float]`": (lambda: V(f=1), lambda: V(f=1.0), True),
    "1 and 1.0 for `Param[Any]`": (lambda: V(any=1), lambda: V(any=1.0), False),
    "True and 1": (lambda: V(any=True), lambda: V(any=1), True),
    "False and None": (lambda: V(any=False), lambda: V(any=None), False),
    "2**64 and 2**64 + 1": (lambda: V(i=2**64), lambda: V(i=2**64 + 1), False),
    "2**64 and -2**64": (lambda: V(i=2**64), lambda: V(i=-(2**64)), False),
    "2**64 and 0": (lambda: V(i=2**64), lambda: V(i=0), False),
    "0.0 and -0.0": (lambda: V(f=0.0), lambda: V(f=-0.0), False),
    "two NaNs": (lambda: V(f=math.nan), lambda: V(f=NAN), True),
    "NaN and infinity": (lambda: V(f=math.nan), lambda: V(f=math.inf), False),
    # Text and containers.
    '1 and "1"': (lambda: V(any=1), lambda: V(any="1"), False),
    '"a" and b"a"': (lambda: V(any="a"), lambda: V(any=b"a"), False),
    "é as one code point and as two": (lambda: V(s="é"), lambda: V(s="e\u0301"), False),
    "[1, 2] and [2, 1]": (lambda: V(items=[1, 2]), lambda: V(items=[2, 1]), False),
    "[[1], 2] and [[1, 2]]": (lambda: V(items=[[1], 2]), lambda: V(items=[[1, 2]]), False),
    "[1] and (1,)": (lambda: V(any=[1]), lambda: V(any=(1,)), False),
    "a set, in another order": (lambda: V(any={"a", "b"}), lambda: V(any={"b", "a"}), True),
    "a set and a frozenset": (lambda: V(any={1}), lambda: V(any=frozenset({1})), True),
    "a dict, in another order": (
        lambda: V(names={"a": 1, "b": 2}),
        lambda: V(names={"b": 2, "a": 1}),
        True,
    ),
    "a dict with another value": (lambda: V(names={"a": 1}), lambda: V(names={"a": 2}), False),
    "a dict with key and value exchanged": (
        lambda: V(any={"a": "b"}),
        lambda: V(any={"b": "a"}),
        False,
    ),
    "two members of an enumeration": (lambda: V(any=Colour.RED), lambda: V(any=Colour.BLUE), False),
    "a member and its alias": (lambda: V(any=Colour.RED), lambda: V(any=Colour.CRIMSON), True),
    "members of one name of two enumerations": (
        lambda: V(any=Colour.RED),
        lambda: V(any=Shade.RED),
        False,
    ),
    "a member and its value": (lambda: V(any=Colour.RED), lambda: V(any=1), False),
    "A and A | B of an `enum.Flag`": (lambda: V(any=Bits.A | Bits.B), lambda: V(any=Bits.A), False),
}


def test_the_table_in_the_documentation_is_this_one() -> None:
    text = (Path(__file__).parents[2] / "docs" / "identity.md").read_text()
    rows = [line.strip("|").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    written = {row[0].strip(): row[1].strip() for row in rows[1:]}
    assert written == {
        case.replace("|", "\\|"): "equal" if same else "different"
        for case, (_, _, same) in CLASSES.items()
    }


@pytest.mark.parametrize("case", CLASSES)
def test_what_is_equal_and_what_is_not(case: str) -> None:
    one, other, same = CLASSES[case]
    assert (identifier(one()) == identifier(other())) is same


def test_it_is_64_digits_and_lies_in_no_other_process_differently() -> None:
    # Changing it makes every task of every workspace run again.
    assert identity_of(Leaf.C(x=3)) == str(Leaf.C(x=3).__identifier__())
    assert identity_of(Leaf.C(x=3)) == (
        "114b4f79f4c5bdfb057152790e0af72837a42e3c47029807d453d40b6ac80087"
    )


def test_the_name_of_a_class_is_in_lower_case() -> None:
    assert qualified_name(Leaf) == "tests.experiment.test_identity.leaf"
    assert qualified_name(Leaf.C) == qualified_name(Leaf) == qualified_name(Renamed)


class Before(Config):
    x: Param[int]


class After(Config):
    __xpmid__ = qualified_name(Before)
    x: Param[int]
    added: Param[int] = 3
    also: Param[int] = field(default=4, ignore_default=True)


class Strict(Config):
    __xpmid__ = qualified_name(Before)
    x: Param[int]
    added: Param[int] = field(default=3)


class Reordered(Config):
    __xpmid__ = qualified_name(After)
    also: Param[int] = field(default=4, ignore_default=True)
    added: Param[int] = 3
    x: Param[int]


def test_a_new_parameter_with_an_ignored_default_changes_no_old_task() -> None:
    assert identifier(Before.C(x=1)) == identifier(After.C(x=1))
    assert identifier(Before.C(x=1)) != identifier(Strict.C(x=1))


def test_the_order_of_declarations_does_not_count() -> None:
    assert identifier(After.C(x=1, added=9)) == identifier(Reordered.C(x=1, added=9))


# What a task's outputs add.


class Learn(Task):
    rate: Param[float]


class Out(Config):
    weights: Meta[Path]
    k: Param[int] = 1


class Evaluate(Task):
    out: Param[Out]


class Load(LightweightTask):
    k: Param[int] = 1


def learned(rate: float, workspace: Path) -> Learn:
    task = Learn.C(rate=rate)
    seal(task, Context(workspace))
    return task


def test_an_output_is_told_apart_by_the_task_that_made_it(tmp_path: Path) -> None:
    outs = [Marker(learned(rate, tmp_path))(Out.C(weights=Path("w"))) for rate in (0.1, 0.2, 0.1)]
    digests = [identifier(out) for out in outs]
    assert digests[0] == digests[2] != digests[1]
    assert identifier(Out.C(weights=Path("w"))) not in digests
    users = [identifier(Evaluate.C(out=out)) for out in outs]
    assert users[0] == users[2] != users[1]


def test_a_task_as_a_parameter_counts_with_all_that_it_is_made_of(tmp_path: Path) -> None:
    class Uses(Task):
        learn: Param[Learn]

    digests = {identifier(Uses.C(learn=learned(rate, tmp_path))) for rate in (0.1, 0.2, 0.1)}
    assert len(digests) == 2


def test_what_runs_before_a_task_counts_and_in_its_order(tmp_path: Path) -> None:
    def _with(*loaders: Load) -> bytes:
        task = Learn.C(rate=1)
        seal(task, Context(tmp_path, loaders))
        return identifier(task)

    def _load(k: int) -> Load:
        return Load.C(k=k)

    several = [(), (1,), (2,), (1, 2), (2, 1)]
    digests = [_with(*map(_load, ks)) for ks in several]
    assert len(set(digests)) == 5
    assert _with(_load(1), _load(2)) == digests[3]


def test_it_stays_what_it_was_when_the_task_is_submitted(tmp_path: Path) -> None:
    task = Evaluate.C(out=Out.C(weights=Path("w")))
    before, part = identifier(task), identifier(task.out)
    seal(task, Context(tmp_path))
    assert (identifier(task), identifier(task.out)) == (before, part)


def test_an_object_of_a_running_task_knows_it() -> None:
    config = V(leaf=Leaf.C(x=4))
    one = config.instance()
    assert identifier(one) == identifier(config)
    assert identifier(one.leaf) == identifier(config.leaf)


# Cycles.


class Node(Config):
    name: Param[str] = ""
    next: Param[Node | None] = None
    others: Param[list[Node]] = field(default_factory=list)


def ring(*names: str) -> list[Node]:
    nodes = [Node.C(name=name) for name in names]
    for node, following in zip(nodes, [*nodes[1:], nodes[0]], strict=True):
        node.next = following
    return nodes


def test_configurations_may_lead_back_to_themselves() -> None:
    assert identifier(ring("a")[0]) == identifier(ring("a")[0])
    assert identifier(ring("a")[0]) != identifier(Node.C(name="a"))
    assert identifier(ring("a", "b")[0]) == identifier(ring("b", "a")[1])
    assert identifier(ring("a", "b")[0]) != identifier(ring("a", "b")[1])
    assert identifier(ring("a", "b", "c")[0]) != identifier(ring("a", "c", "b")[0])
    assert identifier(ring("a", "b", "b")[0]) != identifier(ring("a", "b")[0])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from("ab"), min_size=1, max_size=6), st.data())
def test_a_cycle_is_the_same_wherever_it_is_entered(names: list[str], data: Any) -> None:
    start = data.draw(st.integers(0, len(names) - 1))
    turned = [*names[start:], *names[:start]]
    assert identifier(ring(*names)[start]) == identifier(ring(*turned)[0])
    outside = [Node.C(name="out", others=[one]) for one in (ring(*names)[start], ring(*turned)[0])]
    assert identifier(outside[0]) == identifier(outside[1])


def test_what_is_known_of_a_part_of_a_cycle_does_not_depend_on_who_asked_first() -> None:
    # The digest of `b` must not be kept as it is seen from within the cycle through `a`.
    for first in (0, 1, 2):
        nodes = ring("a", "b", "c")
        identifier(nodes[first])
        assert [identifier(n) for n in nodes] == [identifier(n) for n in ring("a", "b", "c")]


# Objects that are told apart.


class Encoder(InstanceConfig):
    size: Param[int] = 1


class Pair(Config):
    a: Param[Encoder]
    b: Param[Encoder]


class Wrapped(Config):
    encoder: Param[Encoder]
    again: Param[Encoder | None] = None
    pair: Param[Pair | None] = None


def test_equal_objects_differ_from_a_shared_one() -> None:
    def _shared() -> Pair:
        encoder = Encoder.C()
        return Pair.C(a=encoder, b=encoder)

    def _separate() -> Pair:
        return Pair.C(a=Encoder.C(), b=Encoder.C())

    assert identifier(_shared()) == identifier(_shared())
    assert identifier(_separate()) == identifier(_separate())
    assert identifier(_shared()) != identifier(_separate())
    assert identifier(Pair.C(a=Encoder.C(), b=Encoder.C(size=2))) == identifier(
        Pair.C(a=Encoder.C(), b=Encoder.C(size=2))
    )
    assert identifier(Encoder.C()) == identifier(Encoder.C())


def test_which_of_the_equal_objects_is_used_again_counts() -> None:
    def _wrapped(choose: Callable[[Pair], Encoder]) -> bytes:
        pair = Pair.C(a=Encoder.C(), b=Encoder.C())
        return identifier(Wrapped.C(encoder=choose(pair), pair=pair))

    digests = [
        _wrapped(lambda pair: pair.a),
        _wrapped(lambda pair: pair.b),
        _wrapped(lambda _: Encoder.C()),
    ]
    assert len(set(digests)) == 3


# Properties.

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.binary(max_size=4)
    | st.sampled_from([*Colour, *Shade]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=6,
)


def canonical(value: Any) -> Any:
    """Return what two values have in common just when they are to be equal: a model."""
    if isinstance(value, enum.Enum):
        return ("enum", type(value).__name__, value.name)
    if isinstance(value, (bool, int)):
        return ("int", int(value))
    if isinstance(value, float):
        return ("float", "nan" if value != value else value.hex())
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, tuple(canonical(one) for one in value))
    if isinstance(value, dict):
        pairs = {key: canonical(one) for key, one in value.items()}
        return ("dict", tuple(sorted(pairs.items(), key=lambda pair: pair[0])))
    return (type(value).__name__, value)


def _no_lookup(config: Any) -> bytes:
    raise AssertionError(f"{config} is no plain value")


@settings(max_examples=300, deadline=None)
@given(PLAIN, PLAIN)
def test_values_are_equal_just_when_a_task_cannot_tell_them_apart(one: Any, other: Any) -> None:
    same = encode(one, _no_lookup) == encode(other, _no_lookup)
    assert same is (canonical(one) == canonical(other))
    assert (identifier(V(any=one)) == identifier(V(any=other))) is same or None in (one, other)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(["i", "s", "f", "opt", "kept", "left"]), st.integers()))
def test_giving_what_would_be_there_anyway_changes_nothing(given_values: dict[str, int]) -> None:
    given_values = {k: str(v) if k == "s" else v for k, v in given_values.items()}  # type: ignore[misc]
    config = V(**given_values)
    explicit = {name: getattr(config, name) for name in ("f", "s", "left", "kept", "opt", "i")}
    assert identifier(V(**explicit)) == identifier(config)
    assert identifier(V(**explicit, meta=9, path=Path("z"))) == identifier(config)


class Tree(Config):
    label: Param[int]
    children: Param[list[Tree]] = field(default_factory=list)


TREES = st.recursive(
    st.tuples(st.integers(0, 1), st.just(())),
    lambda inner: st.tuples(st.integers(0, 1), st.lists(inner, max_size=3).map(tuple)),
    max_leaves=8,
)


def grown(shape: Any, known: dict[Any, Any] | None = None) -> Tree:
    """Return the configuration of a shape; equal subtrees are one object where `known` is."""
    if known is not None and shape in known:
        return known[shape]  # type: ignore[no-any-return]
    tree = Tree.C(label=shape[0], children=[grown(one, known) for one in shape[1]])
    if known is not None:
        known[shape] = tree
    return tree


@settings(max_examples=150, deadline=None)
@given(TREES, TREES)
def test_nesting_counts_and_sharing_does_not(one: Any, other: Any) -> None:
    assert (identifier(grown(one)) == identifier(grown(other))) is (one == other)
    assert identifier(grown(one, {})) == identifier(grown(one))


def test_depth_is_no_matter_of_pythons_stack() -> None:
    tree = Tree.C(label=0)
    for _ in range(3 * sys.getrecursionlimit()):
        tree = Tree.C(label=0, children=[tree])
    assert len(identifier(tree)) == 32


def test_shared_parts_are_looked_at_once() -> None:
    # As many paths as 2**200 lead to the bottom.
    tree = Tree.C(label=0)
    for _ in range(200):
        tree = Tree.C(label=0, children=[tree, tree])
    assert len(identifier(tree)) == 32


def test_what_has_no_identity_is_refused() -> None:
    with pytest.raises(ValueError, match=r"parameter 'any' of Values \(built at .*has no identity"):
        identifier(V(any=object()))
