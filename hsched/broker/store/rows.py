"""Rows as Python sees them: the three groups of a job's columns, and a run."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from hsched.core.model import Allocation, JobId, Outcome, OutcomeKind, Request, Resource


class Given(NamedTuple):
    """What stands since the submission; columns of :data:`schema.GIVEN`, texts as stored."""

    run: int
    id: JobId
    uid: int
    host: str
    kind: str
    name: str | None
    labels: str
    unique_key: str | None
    submitted_at: float
    environment: int
    cwd: str
    spec: str
    depends_on: str


class Asked(NamedTuple):
    """What may change while the job is pending; columns of :data:`schema.ASKED`."""

    priority: int
    held: int
    hold_reason: str
    request: str
    time_limit: float | None
    passed: int


class Life(NamedTuple):
    """How the job goes; columns of :data:`schema.LIFE`.

    Times are wall time in seconds, but for ``started_clock``: the start on the monotonic
    clock of that boot, which nobody can set.
    """

    state: str
    attempt: int = 1
    allocation: str | None = None
    suspended: int = 0
    started_at: float | None = None
    started_clock: float | None = None
    ended_at: float | None = None
    outcome: str | None = None
    exit_status: int | None = None
    signal: int | None = None
    errno: int | None = None
    reason: str = ""
    tree_left: str | None = None
    cpu_s: float | None = None
    peak_memory_bytes: int | None = None
    peak_memory_kind: str | None = None

    def outcome_or_none(self) -> Outcome | None:
        """Return how the job ended, None while it is live."""
        if self.outcome is None:
            return None
        kind = OutcomeKind(self.outcome)
        return Outcome(kind, self.exit_status, self.signal, self.errno, self.reason)


class StartOf(NamedTuple):
    """What a start needs of a job: the number of its environment, its folder and its spec."""

    environment: int
    cwd: str
    spec: str


G = TypeVar("G", Given, Asked, Life)


class JobRow(NamedTuple):
    """One job's whole row."""

    given: Given
    asked: Asked
    life: Life


@dataclass(frozen=True, slots=True)
class Run:
    """From hstart to hstop.  ``options`` are those of hstart, as JSON has them."""

    number: int
    name: str
    resources: tuple[Resource, ...]
    options: dict[str, Any]
    boot_id: str


def stored(value: Any) -> Any:
    """Return ``value`` as SQLite takes it: text that stands for odd bytes as those bytes."""
    if not isinstance(value, str) or value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogateescape")
    return value


def all_stored(values: Iterable[Any]) -> Iterator[Any]:
    """Yield ``values`` as SQLite takes them; nearly always they are what they were."""
    return (v if type(v) is not str or v.isascii() else stored(v) for v in values)


def loaded(value: Any) -> Any:
    """Return what :func:`stored` was given."""
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


def all_loaded(values: tuple[Any, ...]) -> Iterable[Any]:
    """Return what :func:`all_stored` was given."""
    return map(loaded, values) if bytes in map(type, values) else values


def inserted(jobs: Iterable[JobRow]) -> Iterator[tuple[Any, ...]]:
    """Yield the values of new rows, each group's checksum behind it.

    The jobs of one submission share what they ask for and how they begin.
    """
    asked: Asked | None = None
    life: Life | None = None
    asked_values: tuple[Any, ...] = ()
    life_values: tuple[Any, ...] = ()
    for job in jobs:
        if job.asked is not asked:
            asked, asked_values = job.asked, (*job.asked, checksum(job.asked))
        if job.life is not life:
            life, life_values = job.life, (*job.life, checksum(job.life))
        yield (*all_stored(job.given), checksum(job.given), *asked_values, *life_values)


def checksum(group: Given | Asked | Life) -> int:
    """Return the CRC-32 of a group's values; it tells damage, not malice."""
    return _crc32(tuple(group))


def _crc32(values: tuple[Any, ...]) -> int:
    return zlib.crc32(repr(values).encode("utf-8", "surrogatepass"))


def promise_text(jobs: Sequence[JobId]) -> tuple[str, int]:
    """Return a promise as the store keeps it, and the checksum of that."""
    text = json.dumps(jobs)
    return text, _crc32((text,))


def promise_of(text: Any, checksum: Any) -> frozenset[JobId] | None:
    """Return the jobs of a promise; None where its checksum differs."""
    return frozenset(map(JobId, json.loads(text))) if _crc32((text,)) == checksum else None


def sound(group: type[G], stored_values: tuple[Any, ...]) -> G | None:
    """Return the group of these columns, the last of which is its checksum; None if it differs."""
    loaded_values = tuple(all_loaded(stored_values[:-1]))
    is_sound = _crc32(loaded_values) == stored_values[-1]
    return group._make(loaded_values) if is_sound else None


def resources_text(resources: tuple[Resource, ...]) -> str:
    """Return resources as the store keeps them."""
    return json.dumps([[r.name, r.capacity, r.numbered, r.unit] for r in resources])


def resources_of(text: str) -> tuple[Resource, ...]:
    """Return the resources that ``text`` describes."""
    return tuple(Resource(*fields) for fields in json.loads(text))


@lru_cache(maxsize=1024)
def request_text(request: Request) -> str:
    """Return a request as the store keeps it: amounts, and shares of devices where it has any."""
    if not request.devices:
        return json.dumps(request.amounts)
    share = {"devices": request.devices, "memory": request.memory}
    return json.dumps({"amounts": request.amounts, **share})


@lru_cache(maxsize=1024)
def request_of(text: str) -> Request:
    """Return the request that ``text`` describes."""
    kept = json.loads(text)
    if isinstance(kept, list):
        return Request(tuple(kept))
    return Request(tuple(kept["amounts"]), kept["devices"], kept["memory"])


@lru_cache(maxsize=1024)
def allocation_text(allocation: Allocation | None) -> str | None:
    """Return an allocation as the store keeps it."""
    if allocation is None:
        return None
    shares = [allocation.devices, allocation.memory] if allocation.devices else []
    return json.dumps([allocation.slots, allocation.amounts, *shares])


def allocation_of(text: str | None) -> Allocation | None:
    """Return the allocation that ``text`` describes."""
    if text is None:
        return None
    slots, amounts, *shares = json.loads(text)
    devices, memory = shares or ((), 0)
    return Allocation(tuple(tuple(one) for one in slots), tuple(amounts), tuple(devices), memory)
