"""Stop: end the broker, and with ``force`` the jobs before it."""

from __future__ import annotations

from typing import ClassVar

from hsched.wire.message import Message


class StopRequest(Message):
    """End the run.  Refused while jobs are live, unless ``force`` cancels them.

    With ``drain``, start nothing more, and end the broker when nothing runs; pending
    jobs stay for the next start.  That is answered at once.
    """

    VERB: ClassVar[str] = "stop"
    force: bool = False
    drain: bool = False
    grace: float | None = None


class StopReply(Message):
    """The run ends once no job is left; the broker's process is gone soon after.

    ``folder`` is the run's folder, which stays.  ``running`` and ``pending`` count the
    jobs of a scheduler that is being drained; where it ``asks`` another one first which
    of them run, it ends later.
    """

    folder: str
    running: int = 0
    pending: int = 0
    asks: bool = False
