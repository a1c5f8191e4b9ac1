"""The columns of GPUs, which are rows as ``hsched gpus --json`` tells of them."""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from typing import Any

from hsched.cli.fields.columns import Columns, Field, known
from hsched.cli.render import word

Gpu = dict[str, Any]


def _number(key: str) -> Field[Gpu]:
    """Return the field of what NVML may not tell; ``?`` stands for that."""
    return Field(lambda gpu: _or_unknown(gpu[key]), lambda gpu: gpu[key])


def _flag(key: str) -> Field[Gpu]:
    return Field(lambda gpu: "yes" if gpu[key] else "no")


def _index(gpu: Gpu) -> str:
    return "gone" if gpu["index"] is None else str(gpu["index"])


def _position(gpu: Gpu) -> tuple[int, ...] | None:
    """Return the number of a GPU, and that of a slice in it, which is ``0:1``."""
    index = gpu["index"]
    return None if index is None else tuple(map(int, str(index).split(":")))


def _who(gpu: Gpu) -> Iterator[str]:
    """Yield the processes on a GPU, and the jobs that hold it and have none there."""
    processes = gpu["processes"] or ()
    for process in processes:
        owner = process["job"] or process["username"] or "?"
        memory = _or_unknown(process["gpu_memory_usage"])
        yield word(f"{owner}:{process['command'] or '?'}/{process['pid']}({memory}M)")
    there = {process["job"] for process in processes}
    yield from (job for job in gpu["jobs"] if job not in there)


def _or_unknown(value: object) -> str:
    return "?" if value is None else str(value)


_FIELDS: dict[str, Field[Gpu]] = {
    "gpu": Field(_index, _position),
    "uuid": Field(lambda gpu: gpu["uuid"]),
    "name": Field(lambda gpu: gpu["name"]),
    "temp": _number("temperature.gpu"),
    "util": _number("utilization.gpu"),
    "used": _number("memory.used"),
    "free": _number("memory.free"),
    "total": _number("memory.total"),
    "claimed": _number("memory.claimed"),
    "who": Field(lambda gpu: " ".join(_who(gpu))),
    "slot": known(itemgetter("slot")),
    "jobs": Field(lambda gpu: ",".join(gpu["jobs"])),
    "whole": _flag("whole"),
    "drained": _flag("drained"),
}

COLUMNS = Columns(
    _FIELDS,
    usual=("gpu", "uuid", "name", "temp", "util", "used", "free", "total", "claimed", "who"),
    widths=(4, 40, 24, 5, 5, 8, 8, 8, 8),
)
