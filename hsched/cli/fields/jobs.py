"""The columns of jobs."""

from __future__ import annotations

import re
from operator import attrgetter
from typing import TYPE_CHECKING

from hsched.cli.fields.columns import Columns, Field, known
from hsched.cli.render import amount, job_cells, local_time, printable, slots_word, state_word

if TYPE_CHECKING:
    from hsched.wire.jobs import JobView


def _text(name: str) -> Field[JobView]:
    """Return the field of an attribute that is a word or a number."""
    return known(attrgetter(name), lambda value: printable(str(value)))


def _moment(name: str) -> Field[JobView]:
    return known(attrgetter(name), local_time)


def _bytes(name: str) -> Field[JobView]:
    return known(attrgetter(name), lambda value: f"{value >> 20}M")


def _seconds(name: str) -> Field[JobView]:
    return known(attrgetter(name), lambda value: f"{value:.2f}")


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


_FIELDS: dict[str, Field[JobView]] = {
    "id": Field(lambda job: job.id, _id),
    "state": Field(state_word),
    "slots": Field(slots_word, lambda job: [one.amount for one in job.request.values()]),
    "submitted": _moment("submitted_at"),
    "started": _moment("started_at"),
    "ended": _moment("ended_at"),
    "expected": _moment("expected_start_at"),
    "name": _text("name"),
    "command": Field(lambda job: job_cells(job)[-1]),
    "reason": _text("reason"),
    "priority": _text("priority"),
    "labels": Field(lambda job: ",".join(map(printable, job.labels))),
    "depends": Field(_depends),
    "held": Field(_held),
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

COLUMNS = Columns(_FIELDS)
