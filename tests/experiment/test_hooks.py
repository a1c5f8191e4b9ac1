"""Submit hooks: which are equal, and which a class has."""

from __future__ import annotations

import pytest

from hsched.experiment.hooks import SubmitHook, distinct, of_class, submit_hook_decorator


class Java(SubmitHook):
    def __init__(self, version: int) -> None:
        self.version = version

    def spec(self) -> int:
        return self.version


class Other(Java):
    pass


def test_hooks_of_one_class_and_equal_spec_are_equal() -> None:
    assert Java(11) == Java(11)
    assert len({Java(11), Java(11), Java(12), Other(11)}) == 3
    assert Java(11) != 11


def test_a_class_has_its_own_hooks_and_those_of_its_parents() -> None:
    @Java(11)
    class Base:
        pass

    @Java(12)
    class Derived(Base):
        pass

    assert [hook.spec() for hook in of_class(Derived)] == [12, 11]
    assert [hook.spec() for hook in of_class(Base)] == [11]
    assert distinct([Base, Derived, Base]) == [Java(11), Java(12)]


def test_a_decorator_is_made_of_a_hook_or_of_a_class_of_hooks() -> None:
    java = submit_hook_decorator(Java)

    class First:
        pass

    class Second:
        pass

    java(11)(First)  # type: ignore[operator] # what it makes of a class is a decorator
    submit_hook_decorator(Java(12))(Second)
    assert distinct([First, Second]) == [Java(11), Java(12)]


def test_a_hook_without_process_says_so() -> None:
    with pytest.raises(NotImplementedError, match="Java has no method process"):
        Java(11).process(None, None)  # type: ignore[arg-type]


def test_without_a_spec_each_hook_is_its_own() -> None:
    assert SubmitHook() != SubmitHook()
