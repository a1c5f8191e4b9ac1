"""Values as bytes: equal for values that a task cannot tell apart, different for others.

Every piece says its type and length, so no two different values give the same bytes.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from enum import Enum, Flag
from pathlib import PurePath
from typing import Any

from hsched.experiment.origin import module_name
from hsched.experiment.state import State

#: Gives the digest of a configuration.
Lookup = Callable[[Any], bytes]

#: All NaNs are one: a task sees no difference between them.
_NAN = b"f" + struct.pack(">d", float("nan"))


def sized(tag: bytes, content: bytes) -> bytes:
    """Return content with what it is, and how long."""
    return tag + struct.pack(">Q", len(content)) + content


def text(value: str) -> bytes:
    """Return a string as bytes; lone surrogates, as in undecodable file names, are allowed."""
    return sized(b"s", value.encode("utf-8", "surrogatepass"))


def whole(value: int) -> bytes:
    """Return an integer of any size; False and True are 0 and 1."""
    value = int(value)
    return sized(b"i", value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def encode(value: Any, lookup: Lookup) -> bytes:
    """Return a value as bytes; what configurations add is their digest.

    Raises:
        TypeError: such a value has no identity.
    """
    if isinstance(getattr(value, "__hsched__", None), State):
        return b"c" + lookup(value)
    if value is None:
        return b"n"
    if isinstance(value, Enum):
        return _member(value)
    if isinstance(value, int):
        return whole(value)
    if isinstance(value, float):
        # The sign of zero counts: 1/x and atan2 tell -0.0 from 0.0, so a task may too.
        return _NAN if value != value else b"f" + struct.pack(">d", value)
    if isinstance(value, str):
        return text(value)
    if isinstance(value, (bytes, bytearray)):
        return sized(b"b", bytes(value))
    if isinstance(value, PurePath):
        return b"p"  # that there is one counts, and not where it leads
    return _container(value, lookup)


def _member(value: Enum) -> bytes:
    cls = type(value)
    name = f"{module_name(cls)}.{cls.__qualname__}"
    # A combination of flags has no name in all versions of Python.
    member = str(value.value) if isinstance(value, Flag) else value.name
    return sized(b"e", text(name) + text(member))


def _container(value: Any, lookup: Lookup) -> bytes:
    if isinstance(value, (list, tuple)):
        tag = b"l" if isinstance(value, list) else b"t"
        return sized(tag, b"".join(encode(one, lookup) for one in value if not _is_meta(one)))
    if isinstance(value, (set, frozenset)):
        members = (encode(one, lookup) for one in value if not _is_meta(one))
        return sized(b"u", b"".join(sorted(hashlib.sha256(one).digest() for one in members)))
    if isinstance(value, dict):
        pairs = (
            encode(key, lookup) + encode(one, lookup)
            for key, one in value.items()
            if not _is_meta(one)
        )
        return sized(b"d", b"".join(sorted(pairs)))
    raise TypeError(
        f"{value!r} ({type(value).__name__}) has no identity; what may be a value of "
        "a parameter: numbers, strings, paths, enumerations, configurations, and "
        "lists, tuples, sets and dicts of them"
    )


def _is_meta(value: Any) -> bool:
    state = getattr(value, "__hsched__", None)
    return isinstance(state, State) and state.meta is True
