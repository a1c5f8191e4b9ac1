"""Remove: take jobs off the list of tasks; history keeps them."""

from __future__ import annotations

from typing import ClassVar

from hsched.wire.message import Message

#: The label of a job that was taken off the list.
REMOVED = "removed"


class RemoveRequest(Message):
    """Label the jobs with these ``ids`` as removed; pending ones leave the queue."""

    VERB: ClassVar[str] = "remove"
    ids: tuple[str, ...]
