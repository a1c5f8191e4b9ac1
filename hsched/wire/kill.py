"""Kill: cancel jobs, or send them a signal."""

from __future__ import annotations

from typing import ClassVar

from hsched.wire.message import Message


class KillRequest(Message):
    """Cancel the chosen jobs, or send them ``signal`` where it is neither TERM nor KILL.

    ``words`` are ids, ranges (``3-10``) and names; ``everything`` means all live jobs.
    ``states`` narrows the choice.  ``grace`` in seconds, None for each job's own.
    """

    VERB: ClassVar[str] = "kill"
    words: tuple[str, ...] = ()
    everything: bool = False
    states: tuple[str, ...] = ()
    signal: int = 15
    grace: float | None = None


class KillReply(Message):
    """The jobs that were meant, in order; a cancelled one is gone when a change says so."""

    ids: tuple[str, ...]
