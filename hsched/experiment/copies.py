"""Copies of configurations, and what `setmeta` says of one."""

from __future__ import annotations

from typing import Any, TypeVar, cast

from hsched.experiment.errors import WrongValue
from hsched.experiment.kinds import Object
from hsched.experiment.schema import schema_of
from hsched.experiment.state import State, is_config, state_of

T = TypeVar("T")


def copyconfig(config: T, /, **changes: Any) -> T:
    """Return a copy that can be changed, with other values for some parameters.

    What it is made of is shared with the original; generated paths, marks and what belongs to a
    submission are not copied, tags are.

    Raises:
        WrongValue: a change does not fit.
    """
    from hsched.experiment.configuration import assign

    copy, values = _twin_of(config), vars(config)
    for name in schema_of(type(config)).by_name:
        if name in values and name not in changes and name not in state_of(config).generated:
            vars(copy)[name] = values[name]
    for name, value in changes.items():
        parameter = schema_of(type(config)).by_name.get(name)
        if parameter is None:
            setattr(copy, name, value)
        else:
            state_of(copy).tags.pop(name, None)
            assign(copy, parameter, value)
    return cast("T", copy)


def _twin_of(config: Any) -> Any:
    """Return an object of the same class with a state of its own, and no values."""
    from hsched.experiment.origin import users_line

    old = state_of(config)
    copy = object.__new__(type(config))
    state = State(users_line(), is_task=old.is_task)
    state.tags, state.stopped, state.meta = dict(old.tags), set(old.stopped), old.meta
    vars(copy)["__hsched__"] = state
    return copy


def with_part(config: T, part: Any) -> T:
    """Return a copy with a part as the one parameter that takes it.

    Raises:
        WrongValue: no parameter takes it, or several do.
    """
    fitting = []
    for parameter in schema_of(type(config)).by_name.values():
        members = getattr(parameter.kind, "members", (parameter.kind,))
        if any(isinstance(one, Object) and isinstance(part, one.cls) for one in members):
            fitting.append(parameter.name)
    if len(fitting) != 1:
        names = ", ".join(fitting) or "none"
        raise WrongValue(f"{config!r} @ {part!r}: one parameter is to take it; it fits {names}")
    return copyconfig(config, **{fitting[0]: part})


def fresh(value: T) -> T:
    """Return a value in which nothing that can change is shared with the original.

    Submitted tasks and what they made stay themselves.
    """
    return cast("T", _Cloner().clone(value))


class _Cloner:
    def __init__(self) -> None:
        self._made: dict[int, Any] = {}

    def clone(self, value: Any) -> Any:
        if is_config(value):
            return self._config(value)
        if isinstance(value, dict):
            return {self.clone(key): self.clone(one) for key, one in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return type(value)(self.clone(one) for one in value)
        return value

    def _config(self, config: Any) -> Any:
        state = state_of(config)
        if state.task is not None or (state.is_task and state.sealed):
            return config
        if id(config) not in self._made:
            copy = self._made[id(config)] = _twin_of(config)
            for name in schema_of(type(config)).by_name:
                if name in vars(config) and name not in state.generated:
                    vars(copy)[name] = self.clone(vars(config)[name])
        return self._made[id(config)]


def setmeta(config: T, flag: bool | None) -> T:
    """Say that a configuration counts in no identity (True), or does even where it is Meta.

    Raises:
        WrongAttribute: it was submitted.
    """
    from hsched.experiment.configuration import read_only

    state = state_of(config)
    if state.sealed:
        raise read_only("meta")
    state.meta = flag
    return config
