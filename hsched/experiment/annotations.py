"""From an annotation to the kind of value that it allows."""

from __future__ import annotations

import collections.abc
import types
import typing
from collections.abc import Mapping as Names
from enum import Enum
from pathlib import Path, PurePath
from typing import Annotated, Any, ForwardRef, Literal, TypeVar, Union

from hsched.experiment.kinds import (
    NONE,
    SCALARS,
    Exactly,
    Items,
    Kind,
    Mapping,
    Member,
    Object,
    OneOf,
    Row,
)
from hsched.experiment.markers import Choices

_CONTAINERS: dict[Any, type] = {
    list: list,
    set: set,
    frozenset: frozenset,
    collections.abc.Sequence: list,
    collections.abc.MutableSequence: list,
    collections.abc.Set: frozenset,
    collections.abc.MutableSet: set,
}
_MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)


def resolve(annotation: Any, names: Names[str, Any], inner: Names[str, Any]) -> Any:
    """Return what a quoted annotation stands for in its module and class.

    Raises:
        NameError: it names something that is not there.
    """
    if isinstance(annotation, ForwardRef):
        annotation = annotation.__forward_arg__
    if isinstance(annotation, str):
        return resolve(eval(annotation, dict(names), dict(inner)), names, inner)
    return annotation


class Reader:
    """Turns annotations of one class into kinds; quoted names are looked up for it."""

    def __init__(self, names: Names[str, Any], inner: Names[str, Any]) -> None:
        self._names, self._inner = names, inner

    def resolve(self, annotation: Any) -> Any:
        """Return an annotation that is no string.

        Raises:
            NameError: it names something that is not there.
        """
        return resolve(annotation, self._names, self._inner)

    def kind(self, annotation: Any) -> Kind:
        """Return the kind of an annotation.

        Raises:
            TypeError: no parameter can hold such a thing.
            NameError: a quoted name is not there.
        """
        annotation = self.resolve(annotation)
        if annotation is None:
            return NONE
        if annotation is Any:
            return Kind()
        if isinstance(annotation, TypeVar):
            bound = annotation.__bound__
            return Kind() if bound is None else self.kind(bound)
        origin = typing.get_origin(annotation)
        return self._plain(annotation) if origin is None else self._generic(origin, annotation)

    def _plain(self, annotation: Any) -> Kind:
        if annotation in SCALARS:
            return SCALARS[annotation]
        if annotation in _CONTAINERS:
            return Items(_CONTAINERS[annotation], Kind())
        if annotation in _MAPPINGS:
            return Mapping(Kind(), Kind())
        if annotation is tuple:
            return Row([Kind()], endless=True)
        if isinstance(annotation, type):
            if issubclass(annotation, PurePath):
                return SCALARS[Path]
            if issubclass(annotation, Enum):
                return Member(annotation)
            if hasattr(annotation, "__hsched_class__"):
                return Object(annotation)
            if annotation is object:
                return Kind()
        raise TypeError(f"no parameter can be of type {_name(annotation)}")

    def _generic(self, origin: Any, annotation: Any) -> Kind:
        inside = typing.get_args(annotation)
        if origin is Annotated:
            return self._annotated(inside[0], annotation.__metadata__)
        if origin is Union or origin is types.UnionType:
            return OneOf(self.kind(one) for one in inside)
        if origin is Literal:
            return Exactly(inside)
        if origin in _CONTAINERS:
            return Items(_CONTAINERS[origin], self.kind(inside[0]))
        if origin in _MAPPINGS:
            return Mapping(self.kind(inside[0]), self.kind(inside[1]))
        if origin is tuple:
            return self._row(inside)
        return self._plain(origin)

    def _annotated(self, inner: Any, metadata: tuple[Any, ...]) -> Kind:
        kind = self.kind(inner)
        for one in metadata:
            if isinstance(one, Choices):
                kind = Exactly((kind.accept(value) for value in one.values), among=kind)
        return kind

    def _row(self, inside: tuple[Any, ...]) -> Kind:
        if len(inside) == 2 and inside[1] is Ellipsis:
            return Row([self.kind(inside[0])], endless=True)
        return Row([self.kind(one) for one in inside if one != ()], endless=False)


def _name(annotation: Any) -> str:
    return getattr(annotation, "__qualname__", None) or repr(annotation)
