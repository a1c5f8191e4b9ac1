"""Status: one scheduler at a glance."""

from __future__ import annotations

from typing import ClassVar

from hsched.wire.message import Message
from hsched.wire.slots import ResourceView


class StatusRequest(Message):
    """Tell how this scheduler stands."""

    VERB: ClassVar[str] = "status"


class StatusReply(Message):
    """A scheduler: who runs it, what it has, and its live jobs.

    ``jobs`` counts them: ``total``, ``running`` (with those that start or stop), ``pending``.
    ``engine`` is what runs them: ``local``, this machine, or ``slurm``.
    """

    name: str
    run: str
    folder: str
    pid: int
    version: str
    protocol: int
    resources: tuple[ResourceView, ...]
    jobs: dict[str, int]
    stopping: bool = False
    engine: str = "local"
