"""Typed records that travel as JSON, and their checked decoding.

Why not dataclasses: making one class costs 0.6 ms at import, and every command
pays for every message it knows.  A :class:`Message` costs 0.01 ms.

Text on the wire stands for bytes: argv, environment and paths are decoded as
UTF-8 with surrogateescape (:func:`text`), which JSON carries without loss.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from hsched.errors import MalformedMessage

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_: object) -> Callable[[type], type]:
        """Stand in for the function of Python 3.11, which only type checkers read."""
        return lambda cls: cls


_REQUIRED = object()

M = TypeVar("M", bound="Message")


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Message:
    """A frozen record with typed fields, given by keyword.

    A subclass lists its fields as annotations; those without a value are required.  A message
    holds what it was given, and its class the rest: a job has forty fields and sets ten.
    """

    _defaults: ClassVar[dict[str, Any]] = {}
    _required: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls) -> None:
        own = cls.__annotations__  # its own alone, since Python 3.10
        fields = {
            name: cls.__dict__.get(name, _REQUIRED)
            for name, hint in own.items()
            if not str(hint).startswith("ClassVar")
        }
        cls._defaults = {**cls._defaults, **fields}
        cls._required = frozenset(n for n, value in cls._defaults.items() if value is _REQUIRED)

    def __init__(self, **values: Any) -> None:
        """Set the fields.

        Raises:
            TypeError: there is no such field, or one is missing.
        """
        known = self._defaults
        if not values.keys() <= known.keys():
            raise TypeError(f"{type(self).__name__} has no {sorted(values.keys() - known.keys())}")
        if not self._required <= values.keys():
            missing = [name for name in known if name in self._required - values.keys()]
            raise TypeError(f"{type(self).__name__} needs {missing}")
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen (setting {name})")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Message) or type(self) is not type(other):
            return False
        return self.as_dict() == other.as_dict()

    def __hash__(self) -> int:
        return hash((type(self), tuple(self.as_dict().items())))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self.plain().items())
        return f"{type(self).__name__}({fields})"

    def plain(self) -> dict[str, Any]:
        """Return the fields that differ from their defaults; what JSON gets to see."""
        defaults = self._defaults
        return {k: v for k, v in self.__dict__.items() if v is not defaults[k] and v != defaults[k]}

    def as_dict(self) -> dict[str, Any]:
        """Return all fields by name, in their order, messages inside still being messages."""
        return {**self._defaults, **self.__dict__}


def text(raw: bytes) -> str:
    """Return bytes as they travel; :func:`raw` is the way back."""
    return raw.decode("utf-8", "surrogateescape")


def raw(travelled: str) -> bytes:
    """Return the bytes that ``travelled`` stands for.

    Raises:
        MalformedMessage: a surrogate in it stands for no byte.
    """
    try:
        return travelled.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise MalformedMessage("text that stands for no bytes") from error


def to_json(message: Message) -> bytes:
    """Return ``message`` as ASCII JSON."""
    return _encoder.encode(message).encode()


def from_json(cls: type[M], body: bytes) -> M:
    """Return the message of type ``cls`` that ``body`` spells; unknown fields are skipped.

    Raises:
        MalformedMessage: it spells none; the text says which field is wrong.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedMessage(f"no JSON: {error}") from error
    return from_plain(cls, value)


def from_plain(cls: type[M], value: object) -> M:
    """Return the message of type ``cls`` made from what JSON gave, checked.

    Raises:
        MalformedMessage: a field is missing or of the wrong type.
    """
    if not isinstance(value, dict):
        raise MalformedMessage(f"{cls.__name__} is no object")
    fields = _fields(cls)
    result = {}
    for name, one in value.items():
        if name in fields:
            where, read = fields[name]
            result[name] = read(where, one)
    if not cls._required <= result.keys():
        missing = next(name for name in cls._defaults if name in cls._required - result.keys())
        raise MalformedMessage(f"{cls.__name__}.{missing} is missing")
    message = cls.__new__(cls)  # what __init__ checks is known to be right
    message.__dict__.update(result)
    return message


def _plain(value: object) -> dict[str, Any]:
    assert isinstance(value, Message)
    return value.plain()


_encoder = json.JSONEncoder(default=_plain, separators=(",", ":"))  # to make one is slow


_Reader = Callable[[str, Any], Any]
_known: dict[type, dict[str, tuple[str, _Reader]]] = {}


def _fields(cls: type[Message]) -> dict[str, tuple[str, _Reader]]:
    """Return what errors call each field of ``cls``, and the function that checks it."""
    if cls not in _known:
        hints = get_type_hints(cls)
        _known[cls] = {n: (f"{cls.__name__}.{n}", _reader(hints[n])) for n in cls._defaults}
    return _known[cls]


def _reader(hint: Any) -> _Reader:
    """Return the function that checks a value against the type of a message's field."""
    origin = get_origin(hint)
    if origin is tuple:
        return _sequence(_reader(get_args(hint)[0]))
    if origin is dict:
        return _mapping(_reader(get_args(hint)[1]))
    if origin in (Union, types.UnionType):
        return _optional(_reader(next(arm for arm in get_args(hint) if arm is not type(None))))
    if hint is Any:
        return lambda where, value: value
    if issubclass(hint, Message):
        return lambda where, value: from_plain(hint, value)
    return _scalar(hint)


def _scalar(cls: type) -> _Reader:
    def read(where: str, value: Any) -> Any:
        if type(value) is not cls:
            raise MalformedMessage(f"{where} is no {cls.__name__}")
        return value

    return _number if cls is float else read


def _number(where: str, value: Any) -> float:
    if type(value) is int:  # as which a store would not give it back
        try:
            return float(value)
        except OverflowError as error:
            raise MalformedMessage(f"{where} is too large") from error
    if type(value) is not float:
        raise MalformedMessage(f"{where} is no float")
    return value


def _sequence(item: _Reader) -> _Reader:
    def read(where: str, value: Any) -> Any:
        if not isinstance(value, list):
            raise MalformedMessage(f"{where} is no list")
        return tuple(item(where, one) for one in value)

    return read


def _mapping(item: _Reader) -> _Reader:
    def read(where: str, value: Any) -> Any:
        if not isinstance(value, dict):
            raise MalformedMessage(f"{where} is no object")
        return {key: item(where, one) for key, one in value.items()}

    return read


def _optional(item: _Reader) -> _Reader:
    return lambda where, value: None if value is None else item(where, value)
