"""The site's own options: words such as ``partition=gpu`` that go to sbatch as they are.

For ``hstart --engine-option``, ``hsubmit --engine-option`` and whoever makes options of
keyword arguments (``partition="gpu", cpus_per_task=4``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from hsched.errors import WrongUsage

_NAME = re.compile(r"[a-z][a-z0-9-]*")

#: What hsched says itself, or what would break how it finds its jobs again.
_OURS = frozenset(
    {"array", "begin", "clusters", "comment", "dependency", "error", "export", "export-file"}
    | {"get-user-env", "help", "hold", "input", "job-name", "no-requeue", "open-mode", "output"}
    | {"parsable", "quiet", "requeue", "test-only", "usage", "version", "wait", "wrap"}
)

#: What hsched keeps for itself: room for priorities, and the shortest pause between two looks.
NICE, POLL = "nice", "poll"
_NUMBERS = {NICE: "a whole number, 0 or more", POLL: "a number of seconds"}


def parse(words: Iterable[str]) -> dict[str, str]:
    """Return the options that words such as ``partition=gpu`` and ``exclusive`` name.

    Raises:
        WrongUsage: a word is no option, or one that hsched sets itself.
    """
    found: dict[str, str] = {}
    for word in words:
        name, _, value = word.removeprefix("--").partition("=")
        found[_checked(word, name, value)] = value
    return found


def of_keywords(keywords: Mapping[str, object]) -> dict[str, str]:
    """Return options from names and values as Python has them.

    ``cpus_per_task=4`` is ``cpus-per-task=4``; True stands for an option without a value,
    None and False for none at all.

    Raises:
        WrongUsage: as :func:`parse`.
    """
    given = {name.replace("_", "-"): value for name, value in keywords.items()}
    words = [
        name if value is True else f"{name}={value}"
        for name, value in given.items()
        if value is not None and value is not False
    ]
    return parse(words)


def arguments(options: Mapping[str, str]) -> list[str]:
    """Return options as sbatch and srun take them: ``--partition=gpu``."""
    return [
        f"--{name}={value}" if value else f"--{name}"
        for name, value in options.items()
        if name not in _NUMBERS
    ]


def number(options: Mapping[str, str], name: str, default: float) -> float:
    """Return the value of :data:`NICE` or :data:`POLL`."""
    return float(options.get(name, default))


def _checked(word: str, name: str, value: str) -> str:
    if not _NAME.fullmatch(name):
        raise WrongUsage(f"`{word}` is no option of sbatch; write such as partition=gpu")
    if name in _OURS:
        raise WrongUsage(f"`{word}`: hsched says --{name} itself; see man 7 hsched")
    if any(ord(character) < 32 for character in value):
        raise WrongUsage(f"`{word}` has a control character in it")
    if name in _NUMBERS and not re.fullmatch(r"\d+" if name == NICE else r"\d+(\.\d+)?", value):
        raise WrongUsage(f"`{word}`: {name} is {_NUMBERS[name]}")
    return name
