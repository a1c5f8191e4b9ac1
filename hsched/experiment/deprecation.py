"""`deprecate`: old names of classes and parameters, whose tasks are still found."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from types import FrameType
from typing import Any, cast

from hsched.experiment.errors import WrongDeclaration
from hsched.experiment.origin import Line, words_of
from hsched.experiment.state import state_of


class OldParameter:
    """A method that takes the value of a parameter there is no more, and sets others."""

    __slots__ = ("_method", "name")

    def __init__(self, method: Callable[[Any, Any], None]) -> None:
        self._method, self.name = method, method.__name__

    def give(self, config: Any, value: Any, line: Line) -> None:
        """Let the method turn a value into those of today's parameters."""
        _warn(f"parameter {self.name} of {type(config).__qualname__}", line)
        self._method(config, value)


def deprecate(thing: Any = None, /, *, replace: bool = False) -> Any:
    """Keep an old class or parameter, with the identity of what has come in its place.

    - ``@deprecate`` on a class with one parent: it is the parent under an older name.
    - ``@deprecate(New)`` on a class with a method ``__convert__``, which returns the
      configuration of today; with ``replace=True`` building the old one gives that.
    - ``@deprecate`` on a method ``old(self, value)``: a parameter of old, which sets others.

    Raises:
        WrongDeclaration: the class has no one parent, or no ``__convert__``.
    """
    if thing is not None and not isinstance(thing, type):
        return OldParameter(thing)
    if thing is None or replace or _has_a_name(thing, sys._getframe(1)):
        return lambda old: _converted(old, thing, replace=replace)
    return _older_name(thing)


def _has_a_name(cls: type, caller: FrameType) -> bool:
    """Return whether a class is known by now: ``@deprecate(cls)`` names it as the new one.

    A class that is being decorated has no name yet, neither in its module nor where it is
    defined.
    """
    place: Any = sys.modules.get(cls.__module__)
    for name in cls.__qualname__.split("."):
        place = getattr(place, name, None)
    return place is cls or any(one is cls for one in list(caller.f_locals.values()))


def _older_name(old: Any) -> Any:
    parents = [base for base in old.__bases__ if hasattr(base, "__hsched_class__")]
    if len(parents) != 1:
        raise WrongDeclaration(
            f"@deprecate: {old.__qualname__} needs one parent whose older name it is; or name "
            "the new class, @deprecate(New), and write a method __convert__"
        )
    from hsched.experiment.identity import qualified_name

    type.__setattr__(old, "__hsched_name__", qualified_name(parents[0]))
    type.__setattr__(old, "__hsched_old__", Old(None, replace=False))
    return old


def _converted(old: Any, new: Any, *, replace: bool) -> Any:
    if "__convert__" not in vars(old):
        raise WrongDeclaration(
            f"@deprecate: {old.__qualname__} needs a method __convert__ that returns the "
            "configuration of today"
        )
    if new is not None:
        from hsched.experiment.identity import qualified_name

        type.__setattr__(old, "__hsched_name__", qualified_name(new))
    type.__setattr__(old, "__hsched_old__", Old(old.__convert__, replace=replace))
    return old


class Old:
    """What is known of a class that is deprecated."""

    __slots__ = ("convert", "replace")

    def __init__(self, convert: Callable[[Any], Any] | None, *, replace: bool) -> None:
        self.convert, self.replace = convert, replace


def old_of(cls: Any) -> Old | None:
    """Return what is known of a deprecated class; None for one that is not."""
    return cast("Old | None", cls.__hsched_class__.__dict__.get("__hsched_old__"))


def built(config: Any) -> Any:
    """Return what building a configuration of an old class gives, with a warning."""
    old = old_of(type(config))
    if old is None:
        return config
    _warn(type(config).__qualname__, state_of(config).line)
    return old.convert(config) if old.replace and old.convert else config


def today(config: Any) -> Any:
    """Return what a configuration has become, through as many conversions as there are."""
    seen = 0
    while (old := old_of(type(config))) is not None and old.convert is not None:
        marked = state_of(config)
        config = old.convert(config)
        state_of(config).task = state_of(config).task or marked.task
        seen += 1
        if seen > 100:
            raise WrongDeclaration(f"{config!r} is converted again and again")
    return config


def _warn(what: str, line: Line) -> None:
    warnings.warn_explicit(f"{what} is deprecated ({words_of(line)})", DeprecationWarning, *line)
