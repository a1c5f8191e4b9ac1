"""The grammar of what is typed; pure, but for one look whether a file exists.

Every function takes words and returns what they mean, or raises WrongUsage.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from hsched.errors import WrongUsage
from hsched.wire.message import raw

#: A character that makes a single word a line for the shell.
_SHELL = frozenset(" \t\n|&;<>()$`\\\"'*?[]~")

#: What precedes the name of a group of jobs, in place of an id.
_GROUPS = ("name:", "label:")

#: What a dependency may wait for; ``afterany`` is meant where none is named.
CONDITIONS = ("after", "afterok", "afterany", "afternotok")


class Submission(NamedTuple):
    """The words after ``hsubmit``, parted; ``slots`` is None where it is missing."""

    options: list[str]
    slots: str | None
    command: list[str]


def split_submission(words: Sequence[str], takes_value: Mapping[str, bool]) -> Submission:
    """Part ``[OPTIONS] SLOTS [OPTIONS] [--] COMMAND [ARG...]`` without a look at what it means.

    ``takes_value`` says of each option name whether a value follows it.  An option is
    never part of COMMAND, known or not; after the first word of COMMAND all is.
    """
    options: list[str] = []
    slots = None
    rest = list(words)
    while rest:
        word = rest[0]
        if slots is None and _is_slots(word):
            slots = rest.pop(0)
        elif word == "--" or not _is_option(word):
            break
        else:
            count = 2 if _wants_next(word, takes_value) else 1
            options += rest[:count]
            if count > len(rest):  # its value is missing, which is what must be said
                return Submission(options, None, [])
            del rest[:count]
    return _operands(options, slots, rest)


def _operands(options: list[str], slots: str | None, rest: list[str]) -> Submission:
    if rest and rest[0] == "--":
        del rest[0]
    if slots is None and rest:
        slots = rest.pop(0)
        if rest and rest[0] == "--":
            del rest[0]
    return Submission(options, slots, rest)


def _is_option(word: str) -> bool:
    return word.startswith("-") and word != "-"


def _is_slots(word: str) -> bool:
    # No option of ours but -0 begins with a digit, so `-1` can only mean all there is.
    return not _is_option(word) or (word[1].isdigit() and word != "-0")


def _wants_next(word: str, takes_value: Mapping[str, bool]) -> bool:
    """Return whether the option ``word`` has its value in the word after it."""
    name, equals, _ = word.partition("=")
    if name in takes_value:
        return takes_value[name] and not equals
    if word.startswith("--"):
        return False
    for position, letter in enumerate(word[1:], start=2):
        if takes_value.get(f"-{letter}", False):
            return position == len(word)
    return False


def argv_or_line(words: Sequence[str], line: str | None) -> tuple[tuple[str, ...], str | None]:
    """Return the argv, or () and the line for the shell, that COMMAND or ``--shell`` mean."""
    if line is not None:
        if words:
            raise WrongUsage(f"`{words[0]}`: give either --shell LINE or COMMAND, not both")
        words = [line]
    if not words or not words[0]:
        raise WrongUsage("COMMAND is missing or empty; see --help")
    if line is not None or (len(words) == 1 and _is_line(words[0])):
        return (), words[0]
    return tuple(words), None


def _is_line(word: str) -> bool:
    return not _SHELL.isdisjoint(word) and not os.path.exists(raw(word))


def dependencies(words: Iterable[str]) -> tuple[str, ...]:
    """Return ``afterok:7,8`` as ``afterok:7`` and ``afterok:8``; a condition holds on.

    The broker knows which ids there are; here only what can be no id at all is found,
    because that is how an empty variable in a script looks.
    """
    return tuple(found for word in words for found in _dependencies(word))


def _dependencies(word: str) -> list[str]:
    found = []
    condition = ""
    for part in word.split(","):
        before, upstream = _parted(part)
        if before and before not in CONDITIONS:
            raise WrongUsage(f"`{before}` is no condition; one of {', '.join(CONDITIONS)}")
        condition = before or condition
        if not _is_upstream(upstream):
            raise WrongUsage(f"`{part}` is no job id; was the variable empty?")
        found.append(f"{condition}:{upstream}" if condition else upstream)
    return found


def _parted(part: str) -> tuple[str, str]:
    """Part ``afterok:label:night`` into condition and upstream."""
    for kind in _GROUPS:
        before, found, name = part.partition(kind)
        if found and (not before or before.endswith(":")):
            return before[:-1], found + name
    before, colon, upstream = part.rpartition(":")
    if colon and not before:
        raise WrongUsage(f"`` is no condition; one of {', '.join(CONDITIONS)}")
    return before, upstream


def _is_upstream(word: str) -> bool:
    """Return whether ``word`` is an id, ``last``, ``last~2``, or names a group."""
    last, tilde, back = word.partition("~")
    if last == "last":
        return not tilde or (back.isascii() and back.isdigit())
    return _is_number(word) or (word.startswith(_GROUPS) and not word.endswith(":"))


def _is_number(word: str) -> bool:
    """Return whether ``word`` is digits, with one point among them at most."""
    head, point, tail = word.partition(".")
    return word.isascii() and head.isdigit() and (tail.isdigit() or not point)


def statuses(word: str) -> tuple[int, ...]:
    """Return the exit statuses in ``1,137``; none in an empty word."""
    parts = word.split(",") if word else []
    if not all(part.isascii() and part.isdigit() and int(part[:9]) <= 255 for part in parts):
        raise WrongUsage(f"`{word}` is no list of exit statuses, 0 to 255, such as 1,137")
    return tuple(int(part) for part in parts)


def environment(words: Iterable[str]) -> dict[str, str] | None:
    """Return what ``K=V`` words add to the environment; None for none."""
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise WrongUsage(f"--env `{word}` is not of the form NAME=VALUE")
        found[name] = value
    return found or None


def exported(word: str) -> tuple[str, ...] | None:
    """Return the variables that ``--export`` lets through; None for all of them."""
    if word in ("ALL", "NONE"):
        return None if word == "ALL" else ()
    names = tuple(word.split(","))
    if any(not name or "=" in name for name in names):
        raise WrongUsage(f"--export `{word}`: ALL, NONE, or names with commas between them")
    return names


def cores(word: str) -> set[int]:
    """Return the numbers in ``0-3,5``."""
    spans = (part.partition("-")[::2] for part in word.split(","))
    return {n for low, high in spans for n in range(int(low), int(high or low) + 1)}


def seconds(word: str) -> float:
    """Return a length of time in seconds."""
    number = word.removesuffix("s")
    if not _is_number(number) or len(number) > 20:
        raise WrongUsage(f"`{word}` is no number of seconds, such as 30 or 0.5")
    return float(number)


def signal_number(word: str) -> int:
    """Return the signal that ``INT``, ``SIGINT`` or ``2`` means."""
    import signal  # enumerates all signals, which is slow, and is needed here alone

    name = word.upper().removeprefix("SIG")
    valid = {int(number) for number in signal.valid_signals()}
    if name.isascii() and name.isdigit() and len(name) < 4 and int(name) in valid:
        return int(name)
    if f"SIG{name}" not in signal.Signals.__members__:
        raise WrongUsage(f"`{word}` is no signal; one such as TERM, INT, USR1 or 12")
    return int(signal.Signals[f"SIG{name}"])
