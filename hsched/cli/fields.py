"""The columns that ``hjobs -o`` and ``--sort`` know: what a job shows in each, and its order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from hsched.cli.render import (
    amount,
    columns,
    job_cells,
    local_time,
    printable,
    slots_word,
    state_word,
    word,
)
from hsched.errors import WrongUsage

if TYPE_CHECKING:
    from hsched.wire.jobs import JobView


class Field(NamedTuple):
    """A column: what stands in it, and what it is sorted by; None sorts last."""

    shown: Callable[[JobView], str]
    key: Callable[[JobView], Any]


def parse(text: str) -> tuple[str, ...]:
    """Return the fields that ``id,name,command`` names.

    Raises:
        WrongUsage: one is not known.
    """
    names = tuple(name.strip().lower() for name in text.split(","))
    for name in names:
        if name not in FIELDS:
            raise WrongUsage(f"`{name}` is no field; there are {', '.join(FIELDS)}")
    return names


def parse_order(text: str) -> tuple[str, bool]:
    """Return the field that ``-started`` names, and whether the largest comes first.

    Raises:
        WrongUsage: there is no such field.
    """
    (name,) = parse(text.removeprefix("-").replace(",", " "))
    return name, text.startswith("-")


def in_order(jobs: Iterable[JobView], name: str, descending: bool) -> list[JobView]:
    """Return the jobs sorted by a field; those about which it says nothing come last."""
    key = FIELDS[name].key
    keyed = [(key(job), job) for job in jobs]
    known = [pair for pair in keyed if pair[0] is not None]
    known.sort(key=lambda pair: pair[0], reverse=descending)
    return [job for _, job in known] + [job for value, job in keyed if value is None]


def header(names: Sequence[str]) -> tuple[str, ...]:
    """Return the titles of the columns."""
    return tuple(name.upper() for name in names)


def cells(job: JobView, names: Sequence[str]) -> tuple[str, ...]:
    """Return what stands in each column, ``-`` where nothing is known."""
    return tuple(FIELDS[name].shown(job) or "-" for name in names)


def lines(jobs: Iterable[JobView], names: Sequence[str]) -> Iterator[str]:
    """Yield a header and a line for each job; every column but the last is one word."""
    rows = [header(names)]
    for job in jobs:
        *firsts, last = cells(job, names)
        rows.append((*map(word, firsts), last))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return columns(rows, widths[:-1])


def _text(name: str) -> Field:
    """Return the field of an attribute that is a word or a number."""

    def _shown(job: JobView) -> str:
        value = getattr(job, name)
        return "" if value is None else printable(str(value))

    return Field(_shown, lambda job: getattr(job, name))


def _moment(name: str) -> Field:
    return Field(lambda job: local_time(getattr(job, name)), lambda job: getattr(job, name))


def _bytes(name: str) -> Field:
    def _shown(job: JobView) -> str:
        value = getattr(job, name)
        return "" if value is None else f"{value >> 20}M"

    return Field(_shown, lambda job: getattr(job, name))


def _seconds(name: str) -> Field:
    def _shown(job: JobView) -> str:
        value = getattr(job, name)
        return "" if value is None else f"{value:.2f}"

    return Field(_shown, lambda job: getattr(job, name))


def _by_what_is_shown(shown: Callable[[JobView], str]) -> Field:
    return Field(shown, lambda job: shown(job) or None)


def _id(job: JobView) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", job.id)))


def _held(job: JobView) -> str:
    """Return the slots that a job holds: ``cores:0,1;mem:8G``."""
    held = {name: one for name, one in (job.allocation or {}).items() if one.amount}
    return ";".join(
        f"{name}:{amount(one.amount) if one.slots is None else ','.join(map(str, one.slots))}"
        for name, one in held.items()
    )


def _depends(job: JobView) -> str:
    return ",".join(f"{edge.condition}:{edge.id}" for edge in job.depends_on)


FIELDS: dict[str, Field] = {
    "id": Field(lambda job: job.id, _id),
    "state": _by_what_is_shown(state_word),
    "slots": Field(slots_word, lambda job: [one.amount for one in job.request.values()]),
    "submitted": _moment("submitted_at"),
    "started": _moment("started_at"),
    "ended": _moment("ended_at"),
    "expected": _moment("expected_start_at"),
    "name": _text("name"),
    "command": _by_what_is_shown(lambda job: job_cells(job)[-1]),
    "reason": _text("reason"),
    "priority": _text("priority"),
    "labels": _by_what_is_shown(lambda job: ",".join(map(printable, job.labels))),
    "depends": _by_what_is_shown(_depends),
    "held": _by_what_is_shown(_held),
    "attempt": _text("attempt"),
    "pid": _text("pid"),
    "exit": _text("exit_status"),
    "wall": _seconds("wall_s"),
    "cpu": _seconds("cpu_s"),
    "memory": _bytes("peak_memory_bytes"),
    "user": _text("user"),
    "run": _text("run"),
    "cwd": _text("cwd"),
    "out": _text("out"),
    "err": _text("err"),
}
