"""Tags: what differs between the tasks of an experiment, by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hsched.experiment import Config, Param, TagDict, Task, field, stop_tags, tag, tags, tagspath
from hsched.experiment.marking import Marker
from hsched.experiment.sealing import Context, seal
from hsched.experiment.state import state_of


class Model(Config):
    size: Param[int] = 1
    kind: Param[str] = "plain"


class Learn(Task):
    model: Param[Model]
    rate: Param[float] = 0.1
    more: Param[list[Any]] = field(default_factory=list)


def sealed(task: Any) -> Any:
    seal(task, Context(Path("/workspace")))
    return task


def test_a_tagged_value_is_the_value() -> None:
    model = Model.C(size=tag("3"))  # type: ignore[arg-type]
    assert model.size == 3
    assert tags(model) == {"size": 3}


def test_tags_are_those_of_all_parts_and_of_earlier_tasks() -> None:
    learn = sealed(Learn.C(model=Model.C(size=tag(3)), rate=tag(0.5)))
    output = Marker(learn)(Model.C(kind=tag("b")))
    last = Learn.C(model=output, more=[{"a": Model.C().tag("note", "x")}])
    expected = {"kind": "b", "note": "x", "rate": 0.5, "size": 3}
    assert dict(tags(last)) == expected
    assert dict(sealed(last).tags()) == expected
    assert list(tags(last)) == sorted(expected)


def test_a_tag_given_later_counts_until_the_task_is_submitted() -> None:
    model = Model.C()
    model.size = tag(4)
    learn = Learn.C(model=model)
    assert tags(learn) == {"size": 4}
    sealed(learn)
    with pytest.raises(AttributeError, match="read-only"):
        model.tag("late", 1)


def test_what_is_changed_in_a_copy_has_no_old_tag() -> None:
    model = Model.C(size=tag(3))
    assert tags(model.copy()) == {"size": 3}
    from hsched.experiment import copyconfig

    assert tags(copyconfig(model, size=4)) == {}


def test_one_name_with_two_values_is_told() -> None:
    learn = Learn.C(model=Model.C(size=tag(1)), more=[Model.C(size=tag(2))])
    with pytest.warns(UserWarning, match="tag size is 1 and 2"):
        assert tags(learn) == {"size": 2}


def test_tags_that_are_stopped_go_no_further() -> None:
    learn = Learn.C(model=stop_tags(Model.C(size=tag(1))), rate=tag(0.5))
    assert tags(learn) == {"rate": 0.5}
    assert tags(learn.model) == {"size": 1}


def test_tags_make_a_name_for_a_file() -> None:
    learn = Learn.C(model=Model.C(kind=tag("a/b")), rate=tag(0.5))
    assert tagspath(learn) == "kind=a-b_rate=0.5"
    assert tagspath(Model.C()) == ""


def test_a_tag_dict_can_be_a_key() -> None:
    assert TagDict({"b": 1, "a": 2}) == TagDict({"a": 2, "b": 1}) == {"a": 2, "b": 1}
    assert hash(TagDict({"b": 1, "a": 2})) == hash(TagDict({"a": 2, "b": 1}))
    assert TagDict({"a": 1}) != TagDict({"a": 2})
    assert repr(TagDict({"a": 1})) == "TagDict({'a': 1})"
    with pytest.raises(TypeError):
        TagDict()["a"] = 1  # type: ignore[index]


def test_a_sealed_configuration_does_not_look_below_again() -> None:
    model = Model.C(size=tag(1))
    sealed(Learn.C(model=model))
    assert tags(model) == {"size": 1}
    state_of(model).tags["size"] = 2  # nobody can do this; it shows that nobody looks
    assert tags(Learn.C(model=model)) == {"size": 1}
