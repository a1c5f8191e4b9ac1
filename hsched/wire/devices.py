"""Devices: which slot is which GPU, and which jobs hold it."""

from __future__ import annotations

from typing import ClassVar

from hsched.wire.message import Message


class DeviceSlot(Message):
    """A GPU that is a slot.

    ``claimed`` are the bytes that ``jobs`` which share it claim; one that holds it ``whole``
    stands there alone.
    """

    slot: int
    uuid: str
    name: str
    memory: int | None = None
    claimed: int = 0
    whole: bool = False
    jobs: tuple[str, ...] = ()
    drained: bool = False


class DevicesRequest(Message):
    """Tell the devices."""

    VERB: ClassVar[str] = "devices"


class DevicesReply(Message):
    """The devices by slot; ``roots`` are the processes that jobs descend from, with their ids.

    ``warning`` is what was found at the start of the scheduler, ``trouble`` why NVML tells
    nothing at present; both may be empty.
    """

    slots: tuple[DeviceSlot, ...]
    roots: dict[str, str]
    warning: str = ""
    trouble: str = ""
