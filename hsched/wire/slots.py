"""Slots: what there is, what is held, what is free."""

from __future__ import annotations

from typing import ClassVar

from hsched.wire.message import Message


class ResourceView(Message):
    """One resource; amounts in slots, or in bytes where it is measured in ``unit`` bytes."""

    name: str
    numbered: bool
    unit: int
    total: int
    used: int
    free: int
    drained: tuple[int, ...] = ()


class SlotsRequest(Message):
    """Tell the resources."""

    VERB: ClassVar[str] = "slots"


class SlotsReply(Message):
    """The resources in their order."""

    resources: tuple[ResourceView, ...]
