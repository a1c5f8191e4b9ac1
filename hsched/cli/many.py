"""Many jobs by one command: ``--each`` and ``--array``, and what their words mean.

Without ``--graph`` a line is what it is, whatever stands in it.  With it, a line that
begins with ``@`` has a head, which ends at the first ``--`` between blanks:
``@train afterok:@prepare,@fetch -- python train.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

from hsched.cli import words
from hsched.cli.common import option, reads
from hsched.errors import WrongUsage
from hsched.wire.message import raw, text
from hsched.wire.submit import JobSpec

F = TypeVar("F", bound=Callable[..., Any])

_HEAD = re.compile(r"@(?P<label>[A-Za-z0-9_.-]*)(?P<edges>(?:[ \t]+\S+)*?)[ \t]+--[ \t]+", re.A)
_LABELS = re.compile(r"(?:([a-z]+):)?@([A-Za-z0-9_.-]+)", re.A)
_SPAN = re.compile(r"(\d{1,7})(?:-(\d{1,7})(?::(\d{1,7}))?)?", re.A)


class Array(NamedTuple):
    """The indices of an array, and how many of its elements may run at once."""

    indices: tuple[int, ...]
    limit: int | None


def options(function: F) -> F:
    """Add the options that make many jobs, or none, of one submission."""
    for decorate in (
        option(
            "--unique",
            metavar="KEY",
            help="If a job with this KEY is pending or running, queue nothing and print its id.",
        ),
        option(
            "--array",
            metavar="INDICES",
            callback=reads(array),
            help="Queue an array: one job for each index, such as 0-99, 1,5,9-20:3 (every third), "
            "or 0-99%8 (eight at once). They are 7.0, 7.1, ...; each finds its index in "
            "HSCHED_ARRAY_INDEX.",
        ),
        option(
            "--graph",
            is_flag=True,
            help="With --each: a line may begin with @LABEL and dependencies on other lines, "
            "such as @b afterok:@a -- LINE.",
        ),
        option(
            "-0",
            "--null",
            "nul",
            is_flag=True,
            help="With --each: a NUL byte ends a line, not a newline.",
        ),
        option(
            "--each",
            metavar="FILE",
            help="Queue a job for each line of FILE, all or none; - is standard input. A line is a "
            "shell line, or takes the place of {} in the words of COMMAND, exactly as it is.",
        ),
    ):
        function = decorate(function)
    return function


def read_lines(path: str, nul: bool) -> list[str]:
    """Return the lines of a file, `-` for standard input; empty ones are left out."""
    with open(0 if path == "-" else raw(path), "rb", closefd=path != "-") as file:
        content = file.read()
    return [line for line in text(content).split("\0" if nul else "\n") if line]


def jobs(lines: Iterable[str], common: JobSpec, graph: bool) -> Iterator[JobSpec]:
    """Yield the job of each line: ``common``, with the line as or in its command.

    Raises:
        WrongUsage: COMMAND has no place for the line, or a head makes no sense.
    """
    argv, fields = common.argv, common.as_dict()
    if common.shell is not None:
        raise WrongUsage(
            "--each needs COMMAND as several words, such as `gzip {}`; a shell line with a "
            "place for the line is `sh -c 'gzip \"$1\"' sh {}`"
        )
    if argv and not any("{}" in word for word in argv):
        raise WrongUsage("COMMAND has no {} that a line could take the place of")
    for number, whole in enumerate(lines, start=1):
        line = whole
        if graph and whole.startswith("@"):
            label, edges, line = _head(number, whole)
            fields["label"] = label
            fields["dependencies"] = (*common.dependencies, *edges)
        else:
            fields |= {"label": None, "dependencies": common.dependencies}
        if argv:
            fields["argv"] = tuple(word.replace("{}", line) for word in argv)
        else:
            fields["shell"] = line
        yield JobSpec(**fields)


def array(word: str) -> Array:
    """Return what ``0-99:2%8`` means.

    Raises:
        WrongUsage: it is no list of indices, or one stands in it twice.
    """
    from hsched.core.model import MAX_ARRAY_INDEX  # only where there is an array

    listed, per_cent, limit = word.partition("%")
    if per_cent and not (limit.isascii() and limit.isdigit() and int(limit[:9]) >= 1):
        raise WrongUsage(f"--array `{word}`: `%{limit}` must be %1 or more")
    indices: dict[int, None] = {}
    for part in listed.split(","):
        span = _SPAN.fullmatch(part)
        if span is None:
            raise WrongUsage(f"--array `{word}`: `{part}` is no index and no range such as 0-99:2")
        first, last, step = int(span[1]), int(span[2] or span[1]), int(span[3] or 1)
        if last < first or step < 1:
            raise WrongUsage(f"--array `{word}`: `{part}` is empty")
        if last > MAX_ARRAY_INDEX:
            raise WrongUsage(f"--array `{word}`: {last} is above {MAX_ARRAY_INDEX}")
        found = range(first, last + 1, step)
        if twice := indices.keys() & set(found):
            raise WrongUsage(f"--array `{word}`: {min(twice)} stands there twice")
        indices |= dict.fromkeys(found)
    return Array(tuple(sorted(indices)), int(limit) if per_cent else None)


def _head(number: int, line: str) -> tuple[str | None, list[str], str]:
    """Return the label, the dependencies and the rest of a line that begins with ``@``."""
    found = _HEAD.match(line)
    if found is None:
        raise WrongUsage(f"line {number}: `{line[:40]}` is not of the form @LABEL ... -- LINE")
    edges = [edge for word in found["edges"].split() for edge in _edges(number, word)]
    return found["label"] or None, edges, line[found.end() :]


def _edges(number: int, word: str) -> Iterator[str]:
    """Yield ``afterok:@a,@b`` as ``afterok:@a`` and ``afterok:@b``; other words as in --dep."""
    if "@" not in word:
        yield from words.dependencies((word,))
        return
    condition = ""
    for part in word.split(","):
        found = _LABELS.fullmatch(part)
        if found is None or (found[1] or words.CONDITIONS[0]) not in words.CONDITIONS:
            raise WrongUsage(f"line {number}: `{part}` is no dependency such as afterok:@LABEL")
        condition = f"{found[1]}:" if found[1] else condition
        yield f"{condition}@{found[2]}"
