"""`field`: the default of a parameter, and what it means for the identity."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar, overload

from hsched.experiment.errors import WrongDeclaration
from hsched.experiment.generators import PathGenerator

T = TypeVar("T")


class _Missing:
    """No value at all, where None is one."""

    def __repr__(self) -> str:
        return "(missing)"


MISSING: Final[Any] = _Missing()


class Field:
    """What `field` was told; a class keeps it until its parameters are worked out."""

    __slots__ = ("default", "factory", "groups", "ignore_default", "ignore_generated", "overrides")

    def __init__(self, default: Any = MISSING, *, ignore_default: bool = False) -> None:
        self.default = default
        self.ignore_default = ignore_default
        self.factory: Callable[..., Any] | None = None
        self.groups: tuple[Any, ...] = ()
        self.ignore_generated = False
        self.overrides = False

    def generates(self) -> bool:
        """Return whether the value is made when the configuration is sealed."""
        return isinstance(self.factory, PathGenerator) or _takes_two(self.factory)


def _takes_two(factory: Any) -> bool:
    code = getattr(factory, "__code__", None)
    if code is None:
        return False
    required = code.co_argcount - len(factory.__defaults__ or ())
    return bool(required == 2)


@overload
def field(
    *,
    default: T,
    ignore_default: bool | None = ...,
    ignore_generated: bool = ...,
    overrides: bool = ...,
    groups: Iterable[Any] | None = ...,
) -> T: ...
@overload
def field(
    *,
    default_factory: Callable[..., T],
    ignore_default: bool | None = ...,
    ignore_generated: bool = ...,
    overrides: bool = ...,
    groups: Iterable[Any] | None = ...,
) -> T: ...
@overload
def field(
    *,
    ignore_default: Any = ...,
    ignore_generated: bool = ...,
    overrides: bool = ...,
    groups: Iterable[Any] | None = ...,
) -> Any: ...
def field(
    *,
    default: Any = MISSING,
    default_factory: Callable[..., Any] | None = None,
    ignore_default: Any = None,
    ignore_generated: bool = False,
    overrides: bool = False,
    groups: Iterable[Any] | None = None,
) -> Any:
    """Describe a parameter: its default, and whether that default counts in the identity.

    Args:
        default: the value where none is given; it is part of the identity all the same.
        default_factory: makes the default, one for each configuration; a `PathGenerator` (or
            a function of context and configuration) makes it when the task is submitted.
        ignore_default: leave the parameter out of the identity while it has its default;
            any other value than True or False is itself such a default.
        ignore_generated: take configurations whose paths were generated for another task.
        overrides: this parameter replaces one of the parent class on purpose.
        groups: what `param_group` returned; partial identities choose by them.

    Raises:
        WrongDeclaration: both `default` and `default_factory`, or two defaults.
    """
    given = default is not MISSING
    if given and default_factory is not None:
        raise WrongDeclaration("field: default and default_factory are mutually exclusive")
    if (given or default_factory is not None) and not isinstance(
        ignore_default, (bool, type(None))
    ):
        raise WrongDeclaration("field: ignore_default is True or False where there is a default")
    made = Field(default)
    if given or default_factory is not None:
        made.ignore_default = bool(ignore_default)
    elif ignore_default is not None:
        made.default, made.ignore_default = ignore_default, True
    made.factory = default_factory
    made.groups = tuple(groups or ())
    made.ignore_generated = ignore_generated
    made.overrides = overrides
    return made
