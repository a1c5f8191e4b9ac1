"""Which tasks the words of a command mean: ids, names, groups, regular expressions.  Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from hsched.errors import NoSuchJob, WrongUsage

if TYPE_CHECKING:
    from hsched.wire.jobs import JobView

_ID = re.compile(r"\d+(?:\.\d+)?", re.A)
_RANGE = re.compile(r"(\d{1,12})-(\d{1,12})", re.A)


def chosen(jobs: Iterable[JobView], words: Sequence[str]) -> list[JobView]:
    """Return those of ``jobs`` that any of ``words`` means, in their order, each once.

    A word is an id (``7``, ``7.3``, ``3-10``), else a full name or the group that tasks are
    in, else the last part of a name, else a regular expression for whole full names.

    Raises:
        NoSuchJob: a word means none of them.
        WrongUsage: a word is nothing of all that.
    """
    jobs = list(jobs)
    found: set[str] = set()
    for word in words:
        meant = _meant(jobs, word)
        if not meant:
            raise NoSuchJob(f"no task fits `{word}`; `hsched list` shows all there are")
        found |= meant
    return [job for job in jobs if job.id in found]


def _meant(jobs: Sequence[JobView], word: str) -> set[str]:
    for test in _tests(word):
        if meant := {job.id for job in jobs if test(job)}:
            return meant
    try:
        pattern = re.compile(word)
    except re.error as error:
        raise WrongUsage(f"`{word}` is no name, and no regular expression: {error}") from None
    return {job.id for job in jobs if pattern.fullmatch(job.name or "")}


def _tests(word: str) -> list[Callable[[JobView], bool]]:
    """Return what a word may mean, in the order in which it is tried."""
    tests: list[Callable[[JobView], bool]] = [
        lambda job: job.name == word or (job.name or "").startswith(f"{word}/"),
        lambda job: (job.name or "").rpartition("/")[2] == word,
    ]
    span = _RANGE.fullmatch(word)
    if span is not None:
        first, last = int(span[1]), int(span[2])
        tests.insert(0, lambda job: first <= int(job.id.partition(".")[0]) <= last)
    elif _ID.fullmatch(word):
        tests.insert(0, lambda job: word in (job.id, job.id.partition(".")[0]))
    return tests
