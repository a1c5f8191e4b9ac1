"""What a parameter may hold: checked, and made exact, when a value is given."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from enum import Enum
from pathlib import Path
from typing import Any


class Mismatch(Exception):
    """A value that a kind does not take; the message says why, without the parameter."""


class NotAConfiguration(Mismatch):
    """An object of a running task, where what describes one is due."""


class Kind:
    """Any value at all; the base of the others.

    Attributes:
        name: for people, as in an annotation.
        place: it holds a place in the file system and nothing else.
    """

    name = "Any"
    place = False

    def accept(self, value: Any) -> Any:
        """Return the value as a task will see it.

        Raises:
            Mismatch: it is none of this kind.
        """
        return value

    def refuse(self, value: Any) -> Mismatch:
        """Return the error for a value that is not of this kind."""
        return Mismatch(f"{shown(value)} is no {self.name}")

    def includes(self, other: Kind) -> bool:
        """Return whether all that `other` takes is taken by this one."""
        return type(self) is Kind or self.name == other.name


def _inside(kind: Kind, one: Any, place: Any, whole: Any) -> Any:
    """Return a member of ``whole`` as its kind has it; an error says where it stands."""
    try:
        return kind.accept(one)
    except Mismatch as error:
        raise type(error)(f"{shown(whole)}, at {place!r}: {error}") from None


def shown(value: Any) -> str:
    """Return a value for an error message, cut where it is long."""
    text = repr(value)
    return f"{text if len(text) <= 80 else text[:77] + '...'} ({type(value).__name__})"


class Scalar(Kind):
    """A value of one plain type, with what may be turned into it."""

    def __init__(self, plain: type, convert: Callable[[Any], Any]) -> None:
        self.name = plain.__name__
        self.place = plain is Path
        self._plain, self._convert = plain, convert

    def accept(self, value: Any) -> Any:
        """Return the value; one that says the same in another type is converted."""
        if type(value) is self._plain:
            return value
        try:
            return self._convert(value)
        except (TypeError, ValueError, OverflowError):
            raise self.refuse(value) from None


def _to_int(value: Any) -> int:
    if isinstance(value, str):
        return int(value)
    if isinstance(value, float) or not hasattr(value, "__index__"):
        whole = int(value)
        if whole != value:
            raise ValueError(value)
        return whole
    return int(operator.index(value))


def _to_float(value: Any) -> float:
    if isinstance(value, (str, int)) or hasattr(value, "__float__"):
        return float(value)
    raise TypeError(value)


def _to_str(value: Any) -> str:
    if isinstance(value, str):
        return str.__str__(value)
    raise TypeError(value)


_BOOLS = {"true": True, "yes": True, "on": True, "1": True}
_BOOLS |= {"false": False, "no": False, "off": False, "0": False}


def _to_bool(value: Any) -> bool:
    if isinstance(value, str):
        value = _BOOLS.get(value.lower(), value)
    if value in (0, 1):
        return bool(value)
    raise ValueError(value)


def _to_bytes(value: Any) -> bytes:
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    raise TypeError(value)


def _to_path(value: Any) -> Path:
    return Path(value)


def _to_none(value: Any) -> None:
    raise ValueError(value)


SCALARS: dict[type, Scalar] = {
    plain: Scalar(plain, convert)
    for plain, convert in (
        (int, _to_int),
        (float, _to_float),
        (str, _to_str),
        (bool, _to_bool),
        (bytes, _to_bytes),
        (Path, _to_path),
        (type(None), _to_none),
    )
}


class OneOf(Kind):
    """A union: the member that takes the value as it is, else the first that takes it."""

    def __init__(self, members: Iterable[Kind]) -> None:
        self.members = tuple(members)
        self.name = " | ".join("None" if m is NONE else m.name for m in self.members)
        self.place = all(member.place or member is NONE for member in self.members)

    def accept(self, value: Any) -> Any:
        """Return the value as one of the members has it."""
        taken, why = [], []
        for member in self.members:
            try:
                taken.append(member.accept(value))
            except Mismatch as error:
                why += [error] if member is not NONE else []
                continue
            if taken[-1] is value:
                return value
        if not taken:
            raise why[0] if len(why) == 1 else self.refuse(value)
        return taken[0]

    def includes(self, other: Kind) -> bool:
        """Return whether each member of the other is included in one of these."""
        others = other.members if isinstance(other, OneOf) else (other,)
        return all(any(mine.includes(one) for mine in self.members) for one in others)


NONE = SCALARS[type(None)]


class Items(Kind):
    """A list, set or frozenset whose members are of one kind."""

    def __init__(self, container: type, item: Kind) -> None:
        self.name = f"{container.__name__}[{item.name}]"
        self._container: Any = container
        self._item = item

    def accept(self, value: Any) -> Any:
        """Return a container of its own, so that the caller's can change."""
        if not isinstance(value, self._container):
            raise self.refuse(value)
        return self._container(
            _inside(self._item, one, place, value) for place, one in enumerate(value)
        )


class Mapping(Kind):
    """A dict with keys of one kind and values of another."""

    def __init__(self, key: Kind, value: Kind) -> None:
        self.name = f"dict[{key.name}, {value.name}]"
        self._key, self._value = key, value

    def accept(self, value: Any) -> Any:
        """Return a dict of its own, in the order of the one given."""
        if not isinstance(value, dict):
            raise self.refuse(value)
        return {
            _inside(self._key, key, key, value): _inside(self._value, one, key, value)
            for key, one in value.items()
        }


class Row(Kind):
    """A tuple: of any length and one kind, or with a kind for each place."""

    def __init__(self, items: Iterable[Kind], *, endless: bool) -> None:
        self._items, self._endless = tuple(items), endless
        names = [item.name for item in self._items] + ["..."] * endless
        self.name = f"tuple[{', '.join(names) or '()'}]"

    def accept(self, value: Any) -> Any:
        """Return the tuple; a list stands for one, as JSON and YAML have no other."""
        if not isinstance(value, (tuple, list)):
            raise self.refuse(value)
        kinds = self._items * len(value) if self._endless else self._items
        if len(kinds) != len(value):
            raise Mismatch(f"{shown(value)} has {len(value)} members, and not {len(kinds)}")
        return tuple(
            _inside(kind, one, place, value)
            for place, (kind, one) in enumerate(zip(kinds, value, strict=True))
        )


class Exactly(Kind):
    """A literal: one of some values."""

    def __init__(self, values: Iterable[Any], among: Kind | None = None) -> None:
        self._values, self._among = tuple(values), among or Kind()
        self.name = f"one of {', '.join(map(repr, self._values))}"

    def accept(self, value: Any) -> Any:
        """Return the value listed that equals this one and has its type."""
        value = self._among.accept(value)
        for one in self._values:
            if one is value or (type(one) is type(value) and one == value):
                return one
        raise Mismatch(f"{shown(value)} is not {self.name}")


class Member(Kind):
    """A member of an enumeration, and nothing that merely equals one."""

    def __init__(self, enumeration: type[Enum]) -> None:
        self.name = enumeration.__qualname__
        self._enumeration = enumeration

    def accept(self, value: Any) -> Any:
        """Return the member."""
        if not isinstance(value, self._enumeration):
            raise self.refuse(value)
        return value


class Object(Kind):
    """A configuration of a class, or of one derived from it."""

    def __init__(self, cls: type) -> None:
        self.cls = cls
        self.name = cls.__qualname__

    def accept(self, value: Any) -> Any:
        """Return the configuration itself: it may be shared."""
        state = getattr(value, "__hsched__", None)
        if state is None:
            if isinstance(value, self.cls):
                name = type(value).__qualname__
                raise NotAConfiguration(
                    f"Configuration (and not objects) should be used. Consider using {name}.C(...)"
                )
            raise self.refuse(value)
        if not isinstance(value, self.cls):
            raise Mismatch(f"{value!r} is not a subtype of {self.name}")
        if state.awaits_submission():
            raise Mismatch(
                f"{value!r} is a task: the value must be submitted before giving it; "
                "give what its .submit() returns"
            )
        return value

    def includes(self, other: Kind) -> bool:
        """Return whether the other's class is derived from this one."""
        return isinstance(other, Object) and issubclass(other.cls, self.cls)
