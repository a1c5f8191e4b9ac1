"""The parameters of a class of configurations, worked out when it is first used."""

from __future__ import annotations

import sys
import typing
import warnings
from collections.abc import Callable, Iterator
from typing import Annotated, Any

from hsched.experiment.annotations import Reader
from hsched.experiment.errors import WrongDeclaration
from hsched.experiment.fields import MISSING, Field
from hsched.experiment.generators import PathGenerator
from hsched.experiment.kinds import NONE as NONE_KIND
from hsched.experiment.kinds import Kind, Mismatch, OneOf
from hsched.experiment.markers import CONSTANT, META, PARAM, Choices, Role, help
from hsched.experiment.origin import words_of

#: Annotations that name one of these, and cannot be understood, are errors.
_WORDS = ("Param", "Meta", "Option", "Constant", "DataPath", "athgenerator", "Choices")


class Parameter:
    """One parameter of a class."""

    __slots__ = (
        "_plain",
        "factory",
        "field",
        "help",
        "hidden",
        "kind",
        "name",
        "optional",
        "owner",
        "role",
    )

    def __init__(self, name: str, owner: type, role: Role, kind: Kind, field: Field) -> None:
        self.name, self.owner, self.role, self.kind, self.field = name, owner, role, kind, field
        self.help = ""
        self.optional = isinstance(kind, OneOf) and NONE_KIND in kind.members
        #: Made when the configuration is sealed.
        self.factory: Callable[..., Any] | None = field.factory if field.generates() else None
        #: Not part of the identity by nature.
        self.hidden = role not in (PARAM, CONSTANT) or kind.place or self.factory is not None

        #: The default, exact, where it cannot change and so can be shared.
        self._plain = MISSING

    @property
    def required(self) -> bool:
        """Whether a value must be given."""
        made = self.field.default is MISSING and self.field.factory is None
        return made and not self.optional

    def fresh(self) -> Any:
        """Return the default, exact and shared with nobody, or MISSING where there is none.

        Raises:
            WrongDeclaration: the class gives its own parameter what it cannot take.
        """
        if self._plain is not MISSING:
            return self._plain
        declared = self._declared()
        if declared is MISSING:
            return MISSING
        value = checked_default(self, declared)
        if value is None or isinstance(value, (int, float, str, bytes)):
            if self.field.factory is None:
                self._plain = value
            return value
        from hsched.experiment.copies import fresh

        return fresh(value)

    def _declared(self) -> Any:
        if self.factory is not None:
            return MISSING
        if self.field.factory is not None:
            return self.field.factory()
        if self.field.default is MISSING and self.optional:
            return None
        return self.field.default


class Schema:
    """All parameters of a class, those of its parents first."""

    __slots__ = ("by_name", "counted")

    def __init__(self, parameters: dict[str, Parameter]) -> None:
        self.by_name = parameters
        #: By name, as the identity takes them.
        self.counted = sorted(parameters.values(), key=lambda one: one.name)


def schema_of(cls: type) -> Schema:
    """Return the parameters of a class.

    Raises:
        WrongDeclaration: an annotation or a default makes no sense.
    """
    cls = cls.__hsched_class__  # type: ignore[attr-defined]
    found = cls.__dict__.get("__hsched_schema__")
    if found is None:
        found = Schema(_collect(cls))
        type.__setattr__(cls, "__hsched_schema__", found)
    return typing.cast(Schema, found)


def _collect(cls: type) -> dict[str, Parameter]:
    parameters: dict[str, Parameter] = {}
    for owner in reversed(cls.__mro__):
        if "__hsched_fields__" not in owner.__dict__:
            continue
        for parameter in _declared(owner):
            older = parameters.get(parameter.name)
            if older is not None:
                _check_override(older, parameter)
            parameters[parameter.name] = parameter
    return parameters


def _declared(owner: type) -> Iterator[Parameter]:
    """Yield the parameters that stand in the body of one class."""
    module = sys.modules.get(owner.__module__)
    names = {**(vars(module) if module else {}), **owner.__dict__["__hsched_names__"]}
    reader = Reader(names, vars(owner))
    for name, annotation in _annotations(owner).items():
        try:
            parameter = _parameter(owner, name, annotation, reader)
        except (TypeError, NameError, Mismatch) as error:
            if isinstance(error, NameError) and not _is_meant(annotation):
                continue
            raise declaration(owner, name, str(error)) from error
        if parameter is not None:
            yield parameter


def _annotations(owner: Any) -> dict[str, Any]:
    """Return the annotations in the body of a class; names that are not there stay quoted."""
    if sys.version_info >= (3, 14):
        import annotationlib

        return annotationlib.get_annotations(owner, format=annotationlib.Format.FORWARDREF)
    return dict(owner.__annotations__)


def _is_meant(annotation: Any) -> bool:
    return any(word in str(annotation) for word in _WORDS)


def _parameter(owner: type, name: str, annotation: Any, reader: Reader) -> Parameter | None:
    annotation = reader.resolve(annotation)
    if typing.get_origin(annotation) is not Annotated:
        return None
    metadata = annotation.__metadata__
    role = _role(metadata)
    if role is None:
        return None
    parameter = Parameter(name, owner, role, reader.kind(annotation), _field(owner, name, metadata))
    parameter.help = next((one.text for one in metadata if isinstance(one, help)), "")
    if role is CONSTANT and parameter.field.default is MISSING:
        raise TypeError("it is Constant, and cannot be without a value")
    return parameter


def _role(metadata: tuple[Any, ...]) -> Role | None:
    for one in metadata:
        if isinstance(one, Role):
            return one
    if any(isinstance(one, PathGenerator) for one in metadata):
        return META
    return PARAM if any(isinstance(one, (Choices, help)) for one in metadata) else None


def _field(owner: type, name: str, metadata: tuple[Any, ...]) -> Field:
    fields = owner.__dict__["__hsched_fields__"]
    made = fields.get(name, owner.__dict__.get(name, MISSING))
    if isinstance(made, Field):
        return made
    # A bare default is left out of the identity: adding a parameter changes no old task.
    field = Field(made, ignore_default=made is not MISSING)
    for one in metadata:
        if isinstance(one, PathGenerator):
            field.factory = one
    return field


def _check_override(older: Parameter, newer: Parameter) -> None:
    if not older.kind.includes(newer.kind):
        raise declaration(
            newer.owner,
            newer.name,
            f"it is {newer.kind.name}, and {older.kind.name} in {older.owner.__qualname__}",
        )
    if not newer.field.overrides and newer.role is not CONSTANT:
        warnings.warn_explicit(
            f"{newer.owner.__qualname__}.{newer.name} replaces the parameter of "
            f"{older.owner.__qualname__}; say field(overrides=True) where that is meant",
            UserWarning,
            *newer.owner.__dict__["__hsched_line__"],
        )


def declaration(owner: type, name: str, why: str) -> WrongDeclaration:
    """Return the error for a parameter whose declaration makes no sense."""
    line = words_of(owner.__dict__["__hsched_line__"])
    return WrongDeclaration(f"parameter {name!r} of {owner.__qualname__} ({line}): {why}")


def checked_default(parameter: Parameter, value: Any) -> Any:
    """Return a default, exact.

    Raises:
        WrongDeclaration: the class gives its own parameter what it cannot take.
    """
    try:
        return parameter.kind.accept(value)
    except Mismatch as error:
        why = f"its default does not fit: {error}"
        raise declaration(parameter.owner, parameter.name, why) from None
