"""``-m``: arguments that are lists, and their cartesian product."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from hsched.errors import WrongUsage

#: Compiled when they are used, which is with -m alone.
_KEY = r"(?s)(?P<key>[^=\[\]\"']*=)?(?P<list>\[.*\])"
_OPENING, _CLOSING = "([{", ")]}"
_DASHES = r"^[-+~]+"

#: The most tasks of one command.
MAX_TASKS = 100_000


class Combination(NamedTuple):
    """The arguments of one task, and what its name may refer to."""

    arguments: tuple[str, ...]
    values: dict[str, str]


def combinations(arguments: Sequence[str]) -> Iterator[Combination]:
    """Yield the arguments of each task: the last list changes fastest.

    ``values`` has each list's value by its key (``lr`` of ``lr=[1,2]`` and of
    ``--lr [1,2]``, else its place from ``0``), and the number of the task by ``index``.

    Raises:
        WrongUsage: a list is empty or never ends, or they make too many tasks.
    """
    choices = [_choices(one) for one in arguments]
    count = 1
    for options in choices:
        count *= len(options)
    if count > MAX_TASKS:
        raise WrongUsage(f"these lists make {count} tasks, and {MAX_TASKS} are the most")
    keys = [
        _name(arguments, place) if re.fullmatch(_KEY, one) else None
        for place, one in enumerate(arguments)
    ]
    for index, picked in enumerate(itertools.product(*choices)):
        values = {
            key: value
            for key, (_, value) in zip(keys, picked, strict=True)
            if key is not None and value is not None
        }
        yield Combination(tuple(word for word, _ in picked), {**values, "index": str(index)})


def _choices(argument: str) -> list[tuple[str, str | None]]:
    """Return what the argument may be, each with the value that was picked from its list."""
    found = re.fullmatch(_KEY, argument)
    if found is None:
        return [(argument, None)]
    key = found["key"] or ""
    return [(key + item, item) for item in items(found["list"])]


def _name(arguments: Sequence[str], place: int) -> str:
    found = re.fullmatch(_KEY, arguments[place])
    key = found["key"] if found is not None else None
    if key:
        return re.sub(_DASHES, "", key[:-1])
    before = arguments[place - 1] if place else ""
    return re.sub(_DASHES, "", before) if before.startswith("-") else str(place)


def items(text: str) -> list[str]:
    """Return the items of ``[a,"b,c",[d,e]]``; quotes around a whole item are taken off.

    Raises:
        WrongUsage: a bracket or a quote is left open, or there is no item.
    """
    found: list[str] = []
    item = ""
    closing: list[str] = []
    quote = ""
    for character in text[1:-1]:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in _OPENING:
            closing.append(_CLOSING[_OPENING.index(character)])
        elif character in _CLOSING:
            if not closing or closing.pop() != character:
                raise WrongUsage(f"`{text}`: `{character}` closes nothing")
        elif character == "," and not closing:
            found.append(_bare(item, text))
            item = ""
            continue
        item += character
    if closing or quote:
        raise WrongUsage(f"`{text}`: `{quote or closing[-1]}` is missing")
    return [*found, _bare(item, text)]


def _bare(item: str, text: str) -> str:
    item = item.strip()
    if not item:
        raise WrongUsage(f"`{text}` has an empty item; write '' for an empty one")
    is_quoted = item[0] in "'\"" and item[-1] == item[0] and item.count(item[0]) == 2
    return item[1:-1] if is_quoted and len(item) > 1 else item
