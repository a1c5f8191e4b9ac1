"""`InstanceConfig`: equal configurations that are several objects all the same.

Two encoders of the same parameters, each trained on its own, are not one encoder used twice.
The identity of what uses them says which uses are of one object, from the second equal object on:
as long as there is only one, it is what it would be for a plain `Config`.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterable
from typing import Any

from hsched.experiment.config import Config
from hsched.experiment.encoding import sized
from hsched.experiment.graph import in_order, task_of


class InstanceConfig(Config):
    """A configuration of which each object counts, where several are equal."""


def is_used() -> bool:
    """Return whether any class needs a look at who is shared."""
    return bool(InstanceConfig.__subclasses__())


def with_sharing(
    root: Any, shape: bytes, parts: Callable[[Any], list[Any]], lookup: Callable[[Any], bytes]
) -> bytes:
    """Return a digest that tells shared objects from equal ones.

    Args:
        root: a configuration.
        shape: its digest, which does not tell them.
        parts: gives what a configuration is made of, in an order that its values do not change.
        lookup: gives the digests of parts, which do not tell them either.
    """

    def _inside(one: Any) -> Iterable[Any]:
        return parts(one) if one is root or task_of(one) is None else ()

    uses: list[bytes] = []
    numbers: dict[bytes, dict[int, int]] = {}
    for place, config in enumerate(in_order(root, _inside, lambda _: False)):
        for index, part in enumerate(_inside(config)):
            if not isinstance(part, InstanceConfig):
                continue
            equal = numbers.setdefault(lookup(part), {})
            number = equal.setdefault(id(part), len(equal))
            if number:
                uses.append(struct.pack(">QQQ", place, index, number))
    if not uses:
        return shape
    return hashlib.sha256(shape + sized(b"shared", b"".join(uses))).digest()
