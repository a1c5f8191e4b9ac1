"""A hrun inside a job takes of the slots that the job holds, and several share them.

No broker is asked.  A file in a folder of the job's says what there is, and every slot
is a byte of it: who holds the lock on that byte (an open-file-description lock) holds the
slot, and the kernel takes it back from whoever is killed.  A gate is locked by the one
that is next, so they are served in order and a wide request is not passed for ever.  A
hrun within a hrun does the same with the slots of the outer one, so a chain of them ends.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import select
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from hsched.client.inotify import Changes
from hsched.core.devices import GPUS
from hsched.core.model import Allocation, Resource
from hsched.core.spec import parse_request
from hsched.core.told import slot_variables
from hsched.errors import NoSuchJob, NotRunning, WrongUsage
from hsched.paths import Place

if TYPE_CHECKING:
    from hsched.wire.jobs import JobView
    from hsched.wire.slots import ResourceView

#: struct flock of Linux with 64-bit offsets: type, whence, start, length, pid.
_FLOCK = "hhqqi4x"

#: The bytes of resource n begin at n << 56; the last region is the gate.
_REGION_BITS = 56
_GATE = 126 << _REGION_BITS

#: A lock goes shortly after the kernel has told of the close: when to look again, in seconds.
_AGAIN_S = (0.001, 0.01, 0.1)

#: Beyond what programs use themselves, as make does with the descriptors of its jobserver.
_HIGH = 100

Span = tuple[int, int]


class Outer(NamedTuple):
    """What the job, or the hrun, around us holds."""

    job_id: str
    path: str
    resources: tuple[Resource, ...]  # with what it holds as their capacity
    slots: tuple[tuple[int, ...], ...]


class Lease:
    """Slots of an outer one; :meth:`give_back` ends it, and so does the end of the process.

    The descriptor is inherited: what a killed hrun has left holds its slots until it ends.
    """

    def __init__(self, outer: Outer, held: Allocation, descriptor: int) -> None:
        self._descriptor = descriptor
        self._outer, self._held = outer, held
        resources = tuple(
            Resource(one.name, amount, one.numbered, one.unit)
            for one, amount in zip(outer.resources, held.amounts, strict=True)
        )
        self._path = os.path.join(os.path.dirname(outer.path), str(os.getpid()))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)  # of one that was killed, and had our pid
        _write(self._path, outer.job_id, resources, held.slots)

    def variables(self) -> dict[str, str]:
        """Return what the command finds in its environment."""
        slots = slot_variables(self._outer.resources, self._held, _words_for_cuda(self._outer))
        return {"HSCHED_LEASE": self._path, **slots}

    def give_back(self) -> None:
        """Let others have the slots, and wake those that wait."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)
        _lock(self._descriptor, fcntl.F_OFD_SETLK, fcntl.F_UNLCK, (0, 0))
        os.utime(self._descriptor)
        os.close(self._descriptor)


def find_outer(place: Place) -> Outer | None:
    """Return what is around us, None where that is no live job of the scheduler at ``place``."""
    job_id, run = os.environ.get("HSCHED_JOB_ID"), os.environ.get("HSCHED_RUN_ID")
    if not job_id or not run or os.environ.get("HSCHED_NAME") != place.name:
        return None
    name = f"{job_id}-{os.environ.get('HSCHED_ATTEMPT', '1')}"
    of_job = os.path.join(place.run_folder(run), "leases", name, "job")
    for path in (os.environ.get("HSCHED_LEASE"), of_job):
        if path:
            with contextlib.suppress(FileNotFoundError):
                return _read(path)
    return _ask(place, job_id, run, of_job)


def amounts_of(word: str, outer: Outer) -> tuple[int, ...]:
    """Return what SLOTS asks for of an outer one.

    Raises:
        WrongUsage: it is more than that holds, and it would wait for ever.
    """
    try:
        return parse_request(word, outer.resources).amounts
    except WrongUsage as error:
        raise WrongUsage(
            f"{error} in job {outer.job_id}: inside a job hrun runs on the slots of that job; "
            "ask for no more than it holds, or queue a job of its own with hsubmit"
        ) from None


def take(outer: Outer, amounts: tuple[int, ...]) -> Lease:
    """Wait until so much is free of what the outer one holds, and take it."""
    descriptor = _opened_high(outer.path)
    gate = os.open(outer.path, os.O_RDWR | os.O_CLOEXEC)
    _lock(gate, fcntl.F_OFD_SETLKW, fcntl.F_WRLCK, (_GATE, 1))
    with Changes(outer.path) as changes:
        spans = _free_spans(descriptor, outer, amounts)
        while spans is None:
            spans = _wait_and_look(changes, descriptor, outer, amounts)
    for span in (span for found in spans for span in found):
        _lock(descriptor, fcntl.F_OFD_SETLK, fcntl.F_WRLCK, (span[0], span[1] - span[0]))
    os.close(gate)
    return Lease(outer, _allocation(outer, spans, amounts), descriptor)


def _opened_high(path: str) -> int:
    low = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        return fcntl.fcntl(low, fcntl.F_DUPFD, _HIGH)
    finally:
        os.close(low)


def _wait_and_look(
    changes: Changes, descriptor: int, outer: Outer, amounts: tuple[int, ...]
) -> list[list[Span]] | None:
    select.select([changes.descriptor], [], [])
    changes.read()
    for pause in (*_AGAIN_S, 0.0):
        spans = _free_spans(descriptor, outer, amounts)
        if spans is not None:
            return spans
        select.select([changes.descriptor], [], [], pause)
    return None


def _free_spans(descriptor: int, outer: Outer, amounts: tuple[int, ...]) -> list[list[Span]] | None:
    """Return the lowest free bytes of each resource, None where there are not enough."""
    found = []
    for position, (resource, amount) in enumerate(zip(outer.resources, amounts, strict=True)):
        start, spans = position << _REGION_BITS, []
        for low, high in _gaps(descriptor, (start, start + resource.capacity)) if amount else ():
            spans.append((low, min(high, low + amount)))
            amount -= spans[-1][1] - low
            if not amount:
                break
        if amount:
            return None
        found.append(spans)
    return found


def _gaps(descriptor: int, within: Span) -> Iterator[Span]:
    """Yield the spans of bytes that nobody has locked, in order."""
    low, high = within
    if low >= high:
        return
    asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, low, high - low, 0)
    kind, _, start, length, _ = struct.unpack(
        _FLOCK, fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, asked)
    )
    if kind == fcntl.F_UNLCK:
        yield within
        return
    yield from _gaps(descriptor, (low, max(low, start)))
    yield from _gaps(descriptor, (min(high, start + length), high))


def _allocation(outer: Outer, spans: list[list[Span]], amounts: tuple[int, ...]) -> Allocation:
    slots = []
    for position, resource in enumerate(outer.resources):
        start = position << _REGION_BITS
        mine = outer.slots[position] if resource.numbered else ()
        parts = (mine[low - start : high - start] for low, high in spans[position])
        slots.append(tuple(slot for part in parts for slot in part))
    return Allocation(tuple(slots), amounts)


def _words_for_cuda(outer: Outer) -> list[str]:
    """Return what CUDA calls each GPU by its slot, as the outer one was told."""
    words = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    names = [one.name for one in outer.resources]
    held = outer.slots[names.index(GPUS)] if GPUS in names else ()
    known = dict(zip(held, words, strict=False))
    return [known.get(slot, str(slot)) for slot in range(max(held, default=-1) + 1)]


def _lock(descriptor: int, command: int, kind: int, span: Span) -> None:
    """Lock or unlock ``span``, a start and a length, of which 0 is all the rest."""
    while True:
        try:
            fcntl.fcntl(descriptor, command, struct.pack(_FLOCK, kind, os.SEEK_SET, *span, 0))
            return
        except OSError as error:
            if error.errno != errno.EINTR:
                raise


def _read(path: str) -> Outer:
    with open(path, encoding="utf-8") as file:
        job_id, resources, slots = json.load(file)
    return Outer(job_id, path, tuple(Resource(*one) for one in resources), tuple(map(tuple, slots)))


def _write(
    path: str, job_id: str, resources: tuple[Resource, ...], slots: tuple[tuple[int, ...], ...]
) -> None:
    """Write what is held; the file comes into being whole, and the first one stays."""
    fresh = f"{path}.{os.getpid()}"
    listed = [[one.name, one.capacity, one.numbered, one.unit] for one in resources]
    with open(fresh, "w", encoding="utf-8") as file:
        json.dump([job_id, listed, slots], file)
    try:
        os.link(fresh, path)
    except FileExistsError:
        return
    finally:
        os.unlink(fresh)


def _ask(place: Place, job_id: str, run: str, path: str) -> Outer | None:
    """Ask the broker what our job holds, and write it down for those that come later."""
    from hsched.client.client import Client  # the first of a job only

    try:
        with Client(place.name) as client:
            job = next(client.jobs(job_id))
            resources = client.slots()
    except (NoSuchJob, NotRunning, StopIteration):
        return None
    if job.run != run or job.allocation is None:
        return None
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    _write(path, job_id, *_held(job, resources))
    return _read(path)


def _held(
    job: JobView, resources: tuple[ResourceView, ...]
) -> tuple[tuple[Resource, ...], tuple[tuple[int, ...], ...]]:
    assert job.allocation is not None, "the caller has looked"
    held = [job.allocation[one.name] for one in resources]
    return (
        tuple(
            Resource(one.name, part.amount, one.numbered, one.unit)
            for one, part in zip(resources, held, strict=True)
        ),
        tuple(tuple(part.slots or ()) for part in held),
    )
