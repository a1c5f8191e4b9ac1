"""What becomes which option of sbatch: one table, which the documentation shows as it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from hsched.core.model import Resource
from hsched.slurm import options

#: How a resource without a column of its own is asked for, as ``hstart`` found it.
GRES, LICENSE = "gres", "license"

_KNOWN = ("cores", "gpus", "mem")
_GIB, _MIB = 1 << 30, 1 << 20


@dataclass(frozen=True, slots=True)
class Asked:
    """What a job, or the elements of an array, ask of Slurm.  Times in seconds.

    ``amounts`` holds cores and gpus as numbers, mem in bytes, and others as numbers;
    ``others`` says of the latter whether they are gres or licenses.  ``edges`` are pairs
    of a condition and the id of Slurm.
    """

    name: str
    tag: str
    amounts: Mapping[str, int]
    others: Mapping[str, str] = field(default_factory=dict)
    priority: int = 0
    nice: int = 0
    time_limit_s: float | None = None
    grace_s: float = 0.0
    begin_at: float | None = None
    held: bool = False
    edges: tuple[tuple[str, str], ...] = ()
    indices: tuple[int, ...] = ()
    array_limit: int | None = None
    requeue: bool = False
    site: Mapping[str, str] = field(default_factory=dict)


class Row(NamedTuple):
    """One line of the table; ``value`` gives what follows the equals sign, None for nothing."""

    asked: str
    option: str
    becomes: str
    value: Callable[[Asked], str | None]


def amounts_of(resources: tuple[Resource, ...], amounts: tuple[int, ...]) -> dict[str, int]:
    """Return a request by name: a counted ``mem`` is in GiB, a measured one in bytes."""
    found = {}
    for resource, amount in zip(resources, amounts, strict=True):
        counted_memory = resource.name == "mem" and resource.numbered
        found[resource.name] = amount * _GIB if counted_memory else amount
    return found


def _cores(asked: Asked) -> str | None:
    count = asked.amounts.get("cores")
    if count is None or (count == 0 and "cpus-per-task" in asked.site):
        return None
    return str(max(1, count))


def _gres(asked: Asked) -> str | None:
    wanted = {"gpu": asked.amounts.get("gpus", 0)} | _kind(asked, GRES)
    return _counts(wanted)


def _kind(asked: Asked, kind: str) -> dict[str, int]:
    return {name: asked.amounts.get(name, 0) for name, one in asked.others.items() if one == kind}


def _counts(wanted: Mapping[str, int]) -> str | None:
    return ",".join(f"{name}:{count}" for name, count in wanted.items() if count) or None


def _memory(asked: Asked) -> str | None:
    wanted = asked.amounts.get("mem", 0)
    return f"{math.ceil(wanted / _MIB)}M" if wanted else None


def _minutes(asked: Asked) -> str | None:
    if asked.time_limit_s is None:
        return None
    return str(max(1, math.ceil((asked.time_limit_s + asked.grace_s) / 60)))


def _begin(asked: Asked) -> str | None:
    if asked.begin_at is None:
        return None
    return datetime.fromtimestamp(math.ceil(asked.begin_at)).isoformat(timespec="seconds")


def _edges(asked: Asked) -> str | None:
    return ",".join(f"{condition}:{upstream}" for condition, upstream in asked.edges) or None


def _array(asked: Asked) -> str | None:
    if not asked.indices:
        return None
    return spans(asked.indices) + (f"%{asked.array_limit}" if asked.array_limit else "")


def nice_of(priority: int, room: int) -> int:
    """Return the value of ``--nice`` for a priority; negative where the room is too small."""
    return room - priority


TABLE = (
    Row("`cores`", "--cpus-per-task", "N; none asked for: the site's option, or 1", _cores),
    Row("`gpus`, and gres of the site by their name", "--gres", "`gpu:N`", _gres),
    Row("`mem`", "--mem", "MiB; none asked for: the site's default", _memory),
    Row("another resource", "--licenses", "`NAME:N`, if the site has it; else refused",
        lambda a: _counts(_kind(a, LICENSE))),
    Row("`--time`", "--time", "minutes, rounded up, with the grace", _minutes),
    Row("`--dep COND:ID`", "--dependency", "`COND:SLURMID`, while Slurm knows the job", _edges),
    Row("`--array 0-9%2`", "--array", "`0-9%2`", _array),
    Row("`--hold`", "--hold", "", lambda a: "" if a.held else None),
    Row("`--begin`", "--begin", "local time, to the second", _begin),
    Row("`--priority N`", "--nice", "-N, more room by the option `nice`",
        lambda a: str(max(0, nice_of(a.priority, a.nice)))),
    Row("`--retries`, `--requeue`", "--requeue", "", lambda a: "" if a.requeue else None),
    Row("neither of them", "--no-requeue", "", lambda a: None if a.requeue else ""),
    Row("`--job-name`", "--job-name", "the name, or that of the command", lambda a: a.name),
    Row("the job's id", "--comment", "by which it is recognised", lambda a: a.tag),
    Row("`--out`, `--err`", "--output", "/dev/null: the job's files are opened on the node",
        lambda a: "/dev/null"),
    Row("environment, folder", "--export", "ALL of nothing: they are in the job's plan",
        lambda a: "ALL"),
)  # fmt: skip

_ALL = frozenset(row.option for row in TABLE)


def arguments(asked: Asked, of: Container[str] = _ALL) -> list[str]:
    """Return the words after ``sbatch --parsable``; those of the site come first."""
    words = options.arguments(asked.site)
    for row in TABLE:
        value = row.value(asked)
        if value is not None and row.option in of:
            words.append(f"{row.option}={value}" if value else row.option)
    return words


#: What srun, which submits one job and waits for it, is told as well.  Dependencies are met
#: and holds are over by then, and streams, environment and folder are its own.
_OF_SRUN = frozenset(
    {"--cpus-per-task", "--gres", "--mem", "--licenses", "--time", "--begin", "--nice"}
    | {"--job-name", "--comment"}
)


def srun_arguments(asked: Asked) -> list[str]:
    """Return the words after ``srun``, of which those of the command follow."""
    return ["--ntasks=1", *arguments(asked, _OF_SRUN)]


def unknown(resources: tuple[Resource, ...]) -> list[str]:
    """Return the names of resources that the site must have as gres or as licenses."""
    return [one.name for one in resources if one.name not in _KNOWN]


def spans(indices: tuple[int, ...]) -> str:
    """Return indices as Slurm writes them: ``0-3,7``."""
    found: list[list[int]] = []
    for index in sorted(indices):
        if found and index == found[-1][1] + 1:
            found[-1][1] = index
        else:
            found.append([index, index])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in found)


def render() -> str:
    """Return the table as Markdown."""
    lines = ["| hsched | sbatch | value | srun |", "|---|---|---|---|"]
    for row in TABLE:
        also = "too" if row.option in _OF_SRUN else ""
        lines.append(f"| {row.asked} | `{row.option}` | {row.becomes} | {also} |")
    return "\n".join(lines)
