"""Tags: names for what differs between the tasks of an experiment; no part of the identity."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, cast

from hsched.experiment.state import state_of

T = TypeVar("T")


class Tagged:
    """A value on its way into a parameter, to be tagged there."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        """Return how it was written."""
        return f"tag({self.value!r})"


class Stopped:
    """A value on its way into a parameter, whose tags are to go no further."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def tag(value: T) -> T:
    """Give a parameter a value and a tag of its name: ``Learn.C(rate=tag(0.1))``."""
    return cast("T", Tagged(value))


def stop_tags(value: T) -> T:
    """Give a parameter a configuration whose tags do not count further up."""
    return cast("T", Stopped(value))


class TagDict(Mapping[str, Any]):
    """Tags by name, sorted; it does not change, and can be a key."""

    __slots__ = ("_tags",)

    def __init__(self, tags: Mapping[str, Any] | None = None) -> None:
        self._tags = dict(sorted((tags or {}).items()))

    def __getitem__(self, name: str) -> Any:
        """Return the value of a tag."""
        return self._tags[name]

    def __iter__(self) -> Iterator[str]:
        """Return the names, sorted."""
        return iter(self._tags)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._tags)

    def __eq__(self, other: object) -> bool:
        """Return whether they are the same."""
        return isinstance(other, Mapping) and self._tags == dict(other)

    def __hash__(self) -> int:
        """Return the same for equal tags."""
        return hash(tuple(self._tags.items()))

    def __repr__(self) -> str:
        """Return them as a dict is written."""
        return f"TagDict({self._tags!r})"


def tags(config: Any) -> TagDict:
    """Return the tags of a configuration, of all that it is made of, and of earlier tasks.

    Where one name has several values, the one nearest to the configuration counts, and a
    warning says so.
    """
    return TagDict(_collect(config))


def tagspath(config: Any) -> str:
    """Return the tags as the name of a file or folder: ``epochs=10_rate=0.1``."""
    found = tags(config).items()
    return "_".join(f"{name}={value}" for name, value in found).replace("/", "-")


def _collect(root: Any) -> dict[str, Any]:
    """Return the tags below a configuration, its own included; sealed ones remember theirs."""
    from hsched.experiment.graph import in_order

    known: dict[int, dict[str, Any]] = {}
    for config in in_order(root, _below, lambda one: "tags" in state_of(one).cache):
        known[id(config)] = _merged(config, known)
        if state_of(config).sealed:
            state_of(config).cache["tags"] = known[id(config)]
    return known.get(id(root)) or dict(state_of(root).cache.get("tags", {}))


def _below(config: Any) -> list[Any]:
    from hsched.experiment.graph import configs_in, named_values

    state = state_of(config)
    values = [value for name, value in named_values(config) if name not in state.stopped]
    marker = [state.task] if state.task is not None else []
    return [*marker, *state.init_tasks, *configs_in(values)]


def _merged(config: Any, known: dict[int, dict[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for below in _below(config):
        theirs = known.get(id(below)) or state_of(below).cache.get("tags", {})
        for name, value in theirs.items():
            if name in merged and merged[name] != value:
                warnings.warn(f"tag {name} is {merged[name]!r} and {value!r}", stacklevel=2)
            merged[name] = value
    merged.update(state_of(config).tags)
    return merged
