"""Objects of a running task: built without arguments, then filled in, then completed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hsched.experiment.fields import MISSING


def empty(cls: type, digest: str) -> Any:
    """Return an object on which only ``__init__()`` has run, and which knows its identity."""
    one = _begin(cls)
    vars(one)["__hsched_digest__"] = bytes.fromhex(digest)
    return one


def _begin(cls: type) -> Any:
    return type.__call__(cls.__dict__.get("__hsched_value__", cls))


def build(cls: Any, values: Mapping[str, Any]) -> Any:
    """Return an object built by the code of a running task: ``Point(x=3)``.

    Raises:
        TypeError: a name is no parameter.
    """
    from hsched.experiment.schema import schema_of

    one = _begin(cls)
    parameters = schema_of(cls).by_name
    for name in values:
        if name not in parameters:
            raise TypeError(f"{name} is not an argument for {cls.__qualname__}")
    for name, parameter in parameters.items():
        value = values[name] if name in values else parameter.fresh()
        if value is not MISSING:
            setattr(one, name, of(value))
    one.__post_init__()
    return one


def of(root: Any) -> Any:
    """Return a value with objects in the place of configurations."""
    from hsched.experiment.graph import configs_in, in_order, named_values, parts
    from hsched.experiment.identity import identifier

    order = [one for start in configs_in([root]) for one in in_order(start, parts, lambda _: False)]
    made = {}
    for config in order:
        if id(config) not in made:
            cls = type(config).__hsched_class__
            made[id(config)] = empty(cls, identifier(config).hex())
    for config in order:
        for name, value in named_values(config):
            setattr(made[id(config)], name, _exchanged(value, made))
    for one in made.values():
        one.__post_init__()
    return _exchanged(root, made)


def _exchanged(value: Any, made: dict[int, Any]) -> Any:
    if id(value) in made:
        return made[id(value)]
    if isinstance(value, dict):
        return {_exchanged(key, made): _exchanged(one, made) for key, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return type(value)(_exchanged(one, made) for one in value)
    return value
