"""How much memory of a device a task asks for, as it is typed or given.  Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from hsched.errors import WrongUsage

_UNITS = {"": 1 << 20, "B": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_AMOUNT = r"(\d{1,15}(?:\.\d{1,9})?)\s*([BKMGT]?)(?:IB|B)?"

#: So many digits are read of what is typed.
_MOST = 10**15 - 1


class Memory(NamedTuple):
    """Bytes, or a fraction of what each device has; both 0 where none was asked for."""

    size: int = 0
    fraction: float = 0.0


def memory(given: str | float) -> Memory:
    """Return what ``20000`` (MiB), ``0.5`` (of a device) and ``20G`` mean.

    Raises:
        WrongUsage: it is no amount of memory.
    """
    if type(given) is int and 0 <= given <= _MOST:
        return Memory(size=given * _UNITS[""])
    word = str(given).strip()
    found = re.fullmatch(_AMOUNT, word.upper(), re.A)
    if found is None:
        raise WrongUsage(
            f"`{word}` is no amount of memory; write MiB (20000), a fraction of a device (0.5), "
            "or a number with a unit (20G)"
        )
    number, unit = found[1], found[2]
    if not unit and "." in number and float(number) <= 1:
        return Memory(fraction=float(number))
    return Memory(size=round(float(number) * _UNITS[unit]))
