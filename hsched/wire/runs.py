"""Runs: all that a scheduler ever had, so that old folders can be told from others."""

from __future__ import annotations

from typing import ClassVar

from hsched.wire.message import Message


class RunsRequest(Message):
    """List the runs of this scheduler, the oldest first."""

    VERB: ClassVar[str] = "runs"


class RunResource(Message):
    """One resource of a run; ``total`` in slots, or in bytes where it is measured."""

    name: str
    total: int
    numbered: bool = True
    unit: int = 1


class RunView(Message):
    """One run: its folder's name, and when it began and ended (seconds since the epoch).

    ``ended_at`` is null for the run that goes on; ``resources`` are those that it had last.
    """

    name: str
    started_at: float
    ended_at: float | None = None
    resources: tuple[RunResource, ...] = ()


class RunsReply(Message):
    """The runs."""

    runs: tuple[RunView, ...]
