"""Lengths of time as people type them.

``90`` and ``90s`` are seconds; ``2h``, ``1h30m`` and ``2d12h`` count units; ``M:S``
and ``H:M:S`` are clocks; ``D-H``, ``D-H:M`` and ``D-H:M:S`` have days in front.
"""

from __future__ import annotations

from hsched.errors import WrongUsage

_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}

#: More characters than this are a slip of the hand, and no time anybody lives to see.
_LONGEST = 12


def parse_duration(word: str) -> float:
    """Return the seconds that ``word`` stands for; fractions need a unit or stand alone.

    Raises:
        WrongUsage: it is no duration.
    """
    text = word.strip().lower()
    try:
        if "-" in text or ":" in text:
            return float(_clock(text))
        return _units(text) if text[-1:] in _UNITS else _number(text)
    except ValueError:
        raise WrongUsage(
            f"`{word}` is no duration; write seconds, 90s, 2h, 1h30m, 1:30:00 or 2-12 (days-hours)"
        ) from None


def _clock(text: str) -> int:
    days, dash, clock = text.rpartition("-")
    fields = [_whole(field) for field in clock.split(":")]
    if len(fields) > 3 or any(field >= 60 for field in fields[1:]):
        raise ValueError(text)
    if not dash:
        fields = [0] * (3 - len(fields)) + fields
    hours, minutes, seconds = [*fields, 0, 0][:3]
    return (_whole(days) if dash else 0) * 86_400 + hours * 3_600 + minutes * 60 + seconds


def _units(text: str) -> float:
    total, digits = 0.0, ""
    smaller = list(_UNITS)
    for letter in text:
        if letter not in _UNITS:
            digits += letter
            continue
        # Each unit at most once, larger ones first.
        del smaller[: smaller.index(letter) + 1]
        total += _number(digits) * _UNITS[letter]
        digits = ""
    return total


def _number(text: str) -> float:
    whole, point, fraction = text.partition(".")
    _whole(whole)
    if point:
        _whole(fraction)
    return float(text)


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > _LONGEST:
        raise ValueError(text)
    return int(text)
