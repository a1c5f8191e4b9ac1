"""Old names: their tasks are found under the new ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hsched.experiment import Config, Param, Task, deprecate
from hsched.experiment.identity import identifier, qualified_name
from hsched.experiment.marking import Marker
from hsched.experiment.sealing import Context, seal
from hsched.experiment.state import state_of


class New(Config):
    x: Param[int]
    y: Param[int] = 1

    @deprecate
    def old_x(self, value: int) -> None:
        self.x = value * 10


@deprecate
class OlderName(New):
    pass


@deprecate(New)
class Converted(Config):
    double: Param[int]

    def __convert__(self) -> New:
        return New.C(x=self.double // 2)


@deprecate(Converted)
class Older(Config):
    quadruple: Param[int]

    def __convert__(self) -> Converted:
        return Converted.C(double=self.quadruple // 2)


@deprecate(New, replace=True)
class Replaced(Config):
    text: Param[str]

    def __convert__(self) -> New:
        return New.C(x=int(self.text))


class Learn(Task):
    part: Param[Any]


@deprecate
class OldLearn(Learn):
    pass


def built(cls: Any, **values: Any) -> Any:
    """Build a configuration of an old class, which is told."""
    with pytest.warns(DeprecationWarning, match=r"is deprecated \(.*test_deprecation\.py:\d+\)"):
        return cls.C(**values)


@pytest.mark.filterwarnings("ignore:.*is deprecated")
def test_old_ones_have_the_identity_of_what_they_became() -> None:
    now = identifier(New.C(x=2))
    assert identifier(built(OlderName, x=2)) == now
    assert identifier(built(Converted, double=4)) == now
    assert identifier(built(Older, quadruple=8)) == now
    assert identifier(built(Converted, double=6)) != now


@pytest.mark.filterwarnings("ignore:.*is deprecated")
def test_where_they_are_used_and_who_made_them_counts_as_before() -> None:
    task = Learn.C(part=1)
    seal(task, Context(Path("/w")))
    old, new = built(Converted, double=4), New.C(x=2)
    assert identifier(Learn.C(part=[old])) == identifier(Learn.C(part=[new]))
    outputs = [Marker(task)(one) for one in (old, new)]
    assert identifier(outputs[0]) == identifier(outputs[1]) != identifier(New.C(x=2))


def test_replacing_gives_the_configuration_of_today() -> None:
    config = built(Replaced, text="7")
    assert isinstance(config, New)
    assert config.x == 7


def test_a_task_of_an_old_name_works_in_the_folder_of_the_new_one() -> None:
    old, new = built(OldLearn, part=3), Learn.C(part=3)
    for task in (old, new):
        seal(task, Context(Path("/w")))
    assert state_of(old).folder == state_of(new).folder
    assert qualified_name(OldLearn) == qualified_name(Learn)


def test_an_old_parameter_sets_those_of_today() -> None:
    config = built(New, old_x=3)
    assert config.x == 30
    with pytest.warns(DeprecationWarning, match="parameter old_x of New is deprecated"):
        config.old_x = 4
    assert config.x == 40


def test_it_works_within_a_function_too() -> None:
    class Now(Config):
        x: Param[int]

    @deprecate(Now)
    class _Then(Config):
        y: Param[int]

        def __convert__(self) -> Now:
            return Now.C(x=self.y)

    @deprecate
    class _Before(Now):
        pass

    assert (
        identifier(built(_Then, y=1)) == identifier(Now.C(x=1)) == identifier(built(_Before, x=1))
    )


@deprecate(New)
class Endless(Config):
    def __convert__(self) -> Config:
        return Endless.C()


@pytest.mark.filterwarnings("ignore:.*is deprecated")
def test_a_conversion_without_end_is_told() -> None:
    with pytest.raises(TypeError, match="is converted again and again"):
        identifier(Endless.C())


def test_a_class_that_cannot_become_another_is_refused() -> None:
    with pytest.raises(TypeError, match="needs a method __convert__"):

        @deprecate(New)
        class _NoMethod(Config):
            pass

    with pytest.raises(TypeError, match="needs one parent"):

        @deprecate
        class _TwoParents(New, Converted):
            pass
