"""Configurations: objects of the twin of a class, which check what they are given.

They know where they were built, and are sealed when a task that uses them is submitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from hsched.experiment.config import ConfigMeta
from hsched.experiment.deprecation import OldParameter, built, old_of
from hsched.experiment.errors import UnsetParameter, WrongAttribute, WrongValue
from hsched.experiment.fields import MISSING
from hsched.experiment.kinds import Mismatch, NotAConfiguration
from hsched.experiment.markers import CONSTANT
from hsched.experiment.origin import module_name, users_line, words_of
from hsched.experiment.schema import Parameter, schema_of
from hsched.experiment.state import State, is_config, state_of
from hsched.experiment.tagging import Stopped, Tagged

#: A value is shown with so many characters.
_WIDEST = 60


class Configuration:
    """What an object has that describes, and does not run."""

    __hsched__: State
    __hsched_is_twin__ = True

    def __init_subclass__(cls, **_: Any) -> None:
        """Tell the class's own hook nothing: a twin is no class of the user's."""

    def __setattr__(self, name: str, value: Any) -> None:
        """Give a parameter a value; other names are plain attributes until it is sealed."""
        if name in schema_of(type(self)).by_name or _old_parameter(self, name) is not None:
            give(self, name, value)
        elif self.__hsched__.sealed:
            raise read_only(name)
        else:
            object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        """Forget a value."""
        if self.__hsched__.sealed:
            raise read_only(name)
        object.__delattr__(self, name)

    def __getattr__(self, name: str) -> NoReturn:
        """Say what is missing.

        Raises:
            UnsetParameter: a parameter without a value.
            AttributeError: there is no such parameter.
        """
        cls = type(self)
        parameter = None if name.startswith("__") else schema_of(cls).by_name.get(name)
        if parameter is None:
            raise AttributeError(f"{qualified(cls)} has no attribute {name!r}")
        where = self.__hsched__.where()
        if parameter.factory is not None:
            why = "has no path before the task that uses it is submitted"
        else:
            why = "has no value yet"
        raise UnsetParameter(f"parameter {name!r} of {qualified(cls)} (built at {where}) {why}")

    def __copy__(self) -> Any:
        """Return a copy that shares its parts."""
        from hsched.experiment.copies import copyconfig

        return copyconfig(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """Return a copy that shares submitted tasks and what they made, and nothing else."""
        from hsched.experiment.copies import fresh

        return fresh(self)

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what a pickle holds: the same as a file, see `saving`."""
        from hsched.experiment.saving import from_state_dict, state_dict

        return from_state_dict, (state_dict(self),)

    def __repr__(self) -> str:
        """Return how it would be written, with nested ones cut short."""
        shown = []
        for name in schema_of(type(self)).by_name:
            if name in vars(self):
                value = vars(self)[name]
                text = f"{type(value).__qualname__}.C(...)" if is_config(value) else repr(value)
                shown.append(f"{name}={text if len(text) <= _WIDEST else text[:_WIDEST] + '...'}")
        return f"{type(self).__qualname__}.C({', '.join(shown)})"

    def __eq__(self, other: object) -> bool:
        """Return whether both are one, or sealed and of one identity."""
        if self is other or not is_config(other):
            return self is other
        if not (self.__hsched__.sealed and state_of(other).sealed):
            return False
        from hsched.experiment.identity import identifier

        return identifier(self) == identifier(other)

    def __hash__(self) -> int:
        """Return the hash of the identity.

        Raises:
            TypeError: it can still change.
        """
        if not self.__hsched__.sealed:
            raise TypeError(f"{self!r} can still change: it has a hash once it was submitted")
        from hsched.experiment.identity import identifier

        return hash(identifier(self))


def make_twin(cls: type) -> type:
    """Make and return the class of the configurations of a class."""
    names = {
        "__qualname__": cls.__qualname__,
        "__module__": cls.__module__,
        "__hsched_class__": cls,
    }
    twin = ConfigMeta(cls.__name__, (Configuration, cls), {**names, "__doc__": cls.__doc__})
    type.__setattr__(cls, "__hsched_twin__", twin)
    return twin


def qualified(cls: type) -> str:
    """Return the name of a class for people: ``module.Class``."""
    return f"{module_name(cls)}.{cls.__qualname__}"


def configure(twin: Any, values: Mapping[str, Any]) -> Any:
    """Build a configuration of a twin class from values by name.

    Raises:
        WrongValue: a name is no parameter, or a value does not fit.
        WrongAttribute: a value for what cannot be given one.
    """
    config = object.__new__(twin)
    vars(config)["__hsched__"] = State(users_line(), is_task=twin.__hsched_is_task__)
    parameters = schema_of(twin).by_name
    for name, value in values.items():
        give(config, name, value)
    for name, parameter in parameters.items():
        if name not in vars(config) and (value := parameter.fresh()) is not MISSING:
            vars(config)[name] = value
    return config if old_of(twin) is None else built(config)


def give(config: Any, name: str, value: Any) -> None:
    """Give a parameter, of today or of old, a value.

    Raises:
        WrongValue: there is none of that name, or the value does not fit.
        WrongAttribute: the parameter takes no value.
    """
    parameters = schema_of(type(config)).by_name
    if name in parameters:
        assign(config, parameters[name], value)
        return
    old = _old_parameter(config, name)
    if old is None:
        known = ", ".join(parameters) or "none"
        raise WrongValue(
            f"{name} is not an argument for {qualified(type(config))} (given at "
            f"{words_of(users_line())}); its parameters: {known}"
        )
    old.give(config, value, users_line())


def _old_parameter(config: Any, name: str) -> OldParameter | None:
    found = getattr(type(config), name, None)
    return found if isinstance(found, OldParameter) else None


def assign(config: Any, parameter: Parameter, value: Any) -> None:
    """Give a parameter of a configuration a value.

    Raises:
        WrongValue: the value does not fit.
        WrongAttribute: it is sealed, or the parameter takes no value.
    """
    state, name = state_of(config), parameter.name
    if state.sealed:
        raise read_only(name)
    if parameter.factory is not None or parameter.role is CONSTANT:
        raise WrongAttribute(f"Property {name} is read-only ({words_of(users_line())})")
    if isinstance(value, Stopped):
        value = value.value
        state.stopped.add(name)
    if isinstance(value, Tagged):
        value = value.value
        state.tags[name] = value
    vars(config)[name] = _checked(config, parameter, value)
    if name in state.tags:
        state.tags[name] = vars(config)[name]


def _checked(config: Any, parameter: Parameter, value: Any) -> Any:
    try:
        value = parameter.kind.accept(value)
    except Mismatch as error:
        name, owner = parameter.name, qualified(type(config))
        line = words_of(users_line())
        if value is None:
            raise WrongAttribute(
                f"Cannot set required attribute {name!r} to None ({owner}, at {line})"
            ) from None
        kind = WrongAttribute if isinstance(error, NotAConfiguration) else WrongValue
        raise kind(
            f"Invalid value for parameter {name!r} of {owner} (set at {line}): {error}"
        ) from None
    if not parameter.field.ignore_generated:
        from hsched.experiment.sealing import refuse_generated

        refuse_generated(parameter, value)
    return value


def read_only(name: str) -> WrongAttribute:
    """Return the error for a change of what was submitted."""
    line = words_of(users_line())
    return WrongAttribute(
        f"Object is read-only (trying to set {name}, at {line}): a task that uses it was "
        "submitted; change a copy, copyconfig(...)"
    )
