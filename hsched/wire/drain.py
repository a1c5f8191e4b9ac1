"""Drain: take numbered slots out of use, or put them back."""

from __future__ import annotations

from typing import ClassVar

from hsched.wire.message import Message


class DrainRequest(Message):
    """Take slots (``gpus:1``, ``cores:4-7,9``) out of use, or put them ``back``.

    Who holds one keeps it to its end.  The reply tells the resources.
    """

    VERB: ClassVar[str] = "drain"
    words: tuple[str, ...]
    back: bool = False
