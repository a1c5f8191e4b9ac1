"""Capacity: set how many slots there are."""

from __future__ import annotations

from typing import ClassVar

from hsched.wire.message import Message


class CapacityRequest(Message):
    """Set the totals that ``spec`` names (``8,2,32``, ``gpus=1``); the others stay.

    Jobs keep what they hold to their end.  The reply tells the resources.
    """

    VERB: ClassVar[str] = "capacity"
    spec: str
