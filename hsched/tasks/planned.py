"""A task as it is handed to whoever submits it: plain, checked, without its objects."""

from __future__ import annotations

from hsched.wire.message import Message

#: The exit status that asks for another try, and how many there are by default.
RETRY_STATUS = 100
RETRIES = 10


class PlannedTask(Message):
    """One task of a batch.  ``after`` has words of dependencies on tasks of the same batch.

    Memory is per device, in bytes or as a fraction of what a device has.  ``slots`` asks
    for something else in place of devices.  ``start`` and ``length`` say where its object
    lies in the payload; None where it is a plain command.
    """

    name: str
    argv: tuple[str, ...] = ()
    shell: str | None = None
    environment: dict[str, str] | None = None
    priority: int = 0
    min_devices: int = 1
    memory: int = 0
    memory_fraction: float = 0.0
    slots: str | None = None
    retries: int = RETRIES
    time_limit: float | None = None
    grace: float = 5.0
    after: tuple[str, ...] = ()
    start: int | None = None
    length: int = 0


class Plan(Message):
    """All tasks of one submission, each before those that wait for it or after, as it came."""

    tasks: tuple[PlannedTask, ...]
