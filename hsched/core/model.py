"""The nouns of the scheduler: job ids, requests, states and outcomes.

Plain data, mostly frozen.  Nothing here decides anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, NewType

from hsched.errors import WrongUsage

#: A job's identity within a run.  One integer, so that it is cheap as a key and
#: orders as people expect: 7 < 7.0 < 7.1 < 8.  The low bits hold the index within
#: an array plus one, or 0 for a plain job and for the array as a whole.
JobId = NewType("JobId", int)

INDEX_BITS = 21
MAX_ARRAY_INDEX = (1 << INDEX_BITS) - 2


def job_id(number: int, index: int | None = None) -> JobId:
    """Return the id of job ``number``, or of element ``index`` of array ``number``."""
    return JobId(number << INDEX_BITS | (0 if index is None else index + 1))


def job_number(identity: JobId) -> int:
    """Return the number that the user was told: 7 for job 7 and for 7.3."""
    return identity >> INDEX_BITS


def array_index(identity: JobId) -> int | None:
    """Return the index within the array, or None for a plain job or a whole array."""
    low = identity & ((1 << INDEX_BITS) - 1)
    return low - 1 if low else None


def array_of(identity: JobId) -> JobId | None:
    """Return the id of the array as a whole that an element belongs to; None for a plain job."""
    return None if array_index(identity) is None else job_id(job_number(identity))


def array_span(whole: JobId) -> tuple[JobId, JobId]:
    """Return the ids between which, both excluded, all elements of an array lie."""
    return whole, job_id(job_number(whole) + 1)


def format_job_id(identity: JobId) -> str:
    """Return the id as people type it: ``7`` or ``7.3``."""
    index = array_index(identity)
    return str(job_number(identity)) if index is None else f"{job_number(identity)}.{index}"


def parse_job_id(word: str) -> JobId:
    """Return the id that ``word`` (``7`` or ``7.3``) stands for.

    Raises:
        WrongUsage: the word is no job id.
    """
    head, dot, tail = word.partition(".")
    digits = head + (tail if dot else "0")
    if not (digits.isascii() and digits.isdigit()) or not head or (dot and not tail):
        raise WrongUsage(f"`{word}` is no job id")
    if len(head) > 12 or len(tail) > 7 or int(head) < 1 or (dot and int(tail) > MAX_ARRAY_INDEX):
        raise WrongUsage(f"`{word}` is no job id")
    return job_id(int(head), int(tail) if dot else None)


class State(str, Enum):
    """Where a job stands in its life; how it ended is an :class:`Outcome`."""

    PENDING = "pending"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    DONE = "done"


class OutcomeKind(str, Enum):
    """How a done job ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SIGNALLED = "signalled"
    TIMED_OUT = "timed out"
    CANCELLED = "cancelled"
    DEPENDENCY_FAILED = "dependency failed"
    SPAWN_FAILED = "spawn failed"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended, and what its first process reported, whatever the kind.

    A cancelled job that trapped TERM and exited 0 has kind CANCELLED and exit
    status 0.  ``reason`` is a clause for people, empty where the rest says it all.
    ``errno`` is set for SPAWN_FAILED alone.
    """

    kind: OutcomeKind
    exit_status: int | None = None
    signal: int | None = None
    errno: int | None = None
    reason: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether this satisfies ``afterok``."""
        return self.kind is OutcomeKind.SUCCEEDED


class Condition(str, Enum):
    """When a dependency is satisfied."""

    AFTER = "after"  # upstream has started, or is done
    AFTEROK = "afterok"  # upstream succeeded
    AFTERANY = "afterany"  # upstream is done, however
    AFTERNOTOK = "afternotok"  # upstream is done and did not succeed


@dataclass(frozen=True, slots=True)
class Dependency:
    """An edge: this job waits until ``upstream`` meets ``condition``.

    ``upstream`` may be an array as a whole; then every element must meet it
    (for ``afternotok``: all are done and at least one did not succeed).
    """

    upstream: JobId
    condition: Condition = Condition.AFTERANY


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of thing that runs out.

    A numbered resource has slots 0 to ``capacity`` - 1; a measured one is an amount.
    ``capacity`` and all amounts count the same thing: slots, or, for a measured
    resource, bytes or whatever ``unit`` of them a bare number means.
    """

    name: str
    capacity: int
    numbered: bool = True
    unit: int = 1


@dataclass(frozen=True, slots=True)
class Sharing:
    """The devices that jobs can share by memory, in bytes of each.

    They are the slots of the numbered resource at ``position``; None means the machine
    itself, which is then the one device.
    """

    memory: tuple[int, ...]
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What a job asks for: one amount per resource, in the order of the resources.

    ``devices`` different devices besides, with ``memory`` bytes on each, which it shares
    with whoever fits beside it; a job has them or whole GPUs in ``amounts``, never both.
    """

    amounts: tuple[int, ...]
    devices: int = 0
    memory: int = 0


@dataclass(frozen=True, slots=True)
class Allocation:
    """What a job holds: per resource its slot indices, or () and an amount if measured.

    ``devices`` are those that it shares, with a claim on ``memory`` bytes of each.
    """

    slots: tuple[tuple[int, ...], ...]
    amounts: tuple[int, ...]
    devices: tuple[int, ...] = ()
    memory: int = 0


@dataclass(frozen=True, slots=True)
class LimitWarning:
    """A signal that announces the time limit, ``before_s`` seconds ahead of it."""

    signal: int
    before_s: float


class NewJob(NamedTuple):
    """What the scheduler must know of a job; its command and files are none of its business.

    ``time_limit_s`` counts from the start; ``not_before`` is a moment on the scheduler's
    clock.  ``array_limit`` caps how many elements of this job's array run at once.
    ``retry_on`` empty means every failure (exit status or signal) is tried again.
    """

    id: JobId
    request: Request
    priority: int = 0
    dependencies: tuple[Dependency, ...] = ()
    held: bool = False
    not_before: float | None = None
    time_limit_s: float | None = None
    grace_s: float = 5.0
    warning: LimitWarning | None = None
    retries: int = 0
    retry_on: tuple[int, ...] = ()
    array_limit: int | None = None
