"""Jobs: pages of the queue and of history."""

from __future__ import annotations

from typing import ClassVar

from hsched.wire.message import Message


class Held(Message):
    """What is held or asked of one resource; ``slots`` are indices where it is numbered."""

    amount: int
    slots: tuple[int, ...] | None = None


class DependencyView(Message):
    """One edge of a job; ``state`` is the upstream job's."""

    id: str
    condition: str
    state: str | None = None


class JobView(Message):
    """One job as scripts see it; the keys of ``--json``, a promise that is only extended.

    ``min_devices`` and ``device_memory_bytes`` are what it asks for of shared GPUs;
    ``devices`` are the GPUs that it holds, shared or whole, and what follows is what it did
    with them, None where NVML did not tell.
    """

    id: str
    run: str
    scheduler: str
    host: str
    uid: int
    user: str | None = None
    name: str | None = None
    labels: tuple[str, ...] = ()
    state: str
    outcome: str | None = None
    reason: str | None = None
    exit_status: int | None = None
    signal: int | None = None
    tree_left: str | None = None
    command: tuple[str, ...] = ()
    request: dict[str, Held]
    allocation: dict[str, Held] | None = None
    priority: int = 0
    depends_on: tuple[DependencyView, ...] = ()
    array_id: str | None = None
    array_index: int | None = None
    attempt: int = 1
    submitted_at: str | None = None
    started_at: str | None = None
    ended_at: str | None = None
    wall_s: float | None = None
    cpu_s: float | None = None
    peak_memory_bytes: int | None = None
    peak_memory_kind: str | None = None
    suspended: bool | None = None
    expected_start_at: str | None = None
    cwd: str | None = None
    out: str | None = None
    err: str | None = None
    min_devices: int = 0
    device_memory_bytes: int = 0
    devices: tuple[int, ...] | None = None
    peak_device_memory_bytes: int | None = None
    mean_device_utilisation: float | None = None
    untouched_devices: tuple[int, ...] | None = None
    pid: int | None = None
    engine_id: str | None = None


class JobsRequest(Message):
    """List jobs in order of id, a page at a time.

    ``scope`` is ``live``, ``done``, ``failed`` or ``all``; ``states`` narrows it, ``ids``
    and ``names`` choose.  ``after`` is the last id of the page before; ``last`` asks for
    the newest N instead.  ``run`` is a run's name, None for the current one.
    """

    VERB: ClassVar[str] = "jobs"
    scope: str = "live"
    states: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    run: str | None = None
    after: str | None = None
    last: int | None = None
    limit: int = 1000


class JobsReply(Message):
    """A page; ``more`` says that another may follow, after the job ``last``.

    A page may be empty and have a next one: ``states`` may be looked at after paging.
    """

    jobs: tuple[JobView, ...]
    more: bool = False
    last: str | None = None
