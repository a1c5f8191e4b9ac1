"""Names of tasks: those that users give, and those that nobody gave."""

from __future__ import annotations

import os

from hsched.core.names import fault_of_part
from hsched.tasks.errors import TaskError

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SIGNS = _LETTERS + "0123456789"
_LENGTH = 5


def random_name() -> str:
    """Return a name of 5 letters and digits, that no id looks like."""
    noise = int.from_bytes(os.urandom(8), "big")
    name = ""
    for signs in (_LETTERS, *(_SIGNS for _ in range(_LENGTH - 1))):
        noise, place = divmod(noise, len(signs))
        name += signs[place]
    return name


def checked_name(name: object, what: str) -> str:
    """Return the name of a task or group.

    Raises:
        TaskError: no folder can be called so.
    """
    if not isinstance(name, str):
        raise TaskError(f"{what} name {name!r}: it is no string")
    fault = fault_of_part(name)
    if fault:
        raise TaskError(f"{what} name {name[:80]!r}: {fault}")
    return name
