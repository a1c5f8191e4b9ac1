"""Runs: all that a scheduler ever had, so that old folders can be told from others."""

from __future__ import annotations

from typing import ClassVar

from hsched.wire.message import Message


class RunsRequest(Message):
    """List the runs of this scheduler, the oldest first."""

    VERB: ClassVar[str] = "runs"


class RunView(Message):
    """One run: its folder's name, and when it began and ended (seconds since the epoch).

    ``ended_at`` is null for the run that goes on.
    """

    name: str
    started_at: float
    ended_at: float | None = None


class RunsReply(Message):
    """The runs."""

    runs: tuple[RunView, ...]
