"""Kill: cancel jobs, or send them a signal."""

from __future__ import annotations

from typing import ClassVar

from hsched.wire.choice import Choice, Chosen


class KillRequest(Choice):
    """Cancel the chosen jobs, or send them ``signal`` where it is neither TERM nor KILL.

    ``grace`` in seconds, None for each job's own.
    """

    VERB: ClassVar[str] = "kill"
    signal: int = 15
    grace: float | None = None


class KillReply(Chosen):
    """The jobs that were meant; a cancelled one is gone when a change says so."""
