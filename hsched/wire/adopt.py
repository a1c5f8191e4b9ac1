"""Adopt: a process that already runs becomes a job."""

from __future__ import annotations

from typing import ClassVar

from hsched.wire.message import Message


class AdoptRequest(Message):
    """Let process ``pid`` hold ``slots`` until it ends.

    ``at`` names slots (``gpus:1``) that it is known to use; the others are the lowest free
    ones.  ``time_limit`` in seconds counts from now.  The reply is that of submit.
    """

    VERB: ClassVar[str] = "adopt"
    pid: int
    slots: str
    at: tuple[str, ...] = ()
    name: str | None = None
    labels: tuple[str, ...] = ()
    time_limit: float | None = None
    grace: float = 5.0
