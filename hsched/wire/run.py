"""Run: a job that its own `hrun` runs, in the foreground.  Three verbs carry it.

``run`` queues it, ``turn`` is answered when it may start or will not, and ``finish``
tells how it ended.  The broker runs nothing: it watches two processes, hrun and the child
of hrun that waits to become the command.
"""

from __future__ import annotations

from typing import ClassVar

from hsched.wire.message import Message
from hsched.wire.submit import JobSpec


class RunRequest(Message):
    """Queue ``job`` for the process that asks, which is going to run it in ``cwd``.

    ``started`` and ``child_started`` are when that process and ``child`` were started, in
    clock ticks since boot.  ``run`` is the run that the ids in dependencies belong to.
    """

    VERB: ClassVar[str] = "run"
    job: JobSpec
    cwd: str
    started: int
    child: int
    child_started: int
    run: str | None = None


class RunReply(Message):
    """The id given out."""

    id: str


class TurnRequest(Message):
    """Answer once the job holds its slots, or is done without ever having held any."""

    VERB: ClassVar[str] = "turn"
    id: str


class TurnReply(Message):
    """Either ``go``, with what the command finds around it, or how the job ended.

    ``variables`` it gets, ``unless_set`` where it has none of that name; ``affinity`` are
    cores, as in ``0-3,5``.  ``jobserver`` is how many recipes make may run at once, None where
    no jobserver was asked for; ``folder`` is for what the job's processes share.
    ``srun`` are the words by which Slurm runs it, before its own, where Slurm does.
    """

    go: bool
    variables: dict[str, str] | None = None
    unless_set: dict[str, str] | None = None
    affinity: str | None = None
    jobserver: int | None = None
    folder: str | None = None
    srun: tuple[str, ...] | None = None
    outcome: str | None = None
    reason: str | None = None


class FinishRequest(Message):
    """The command has ended, and nothing that it started is left, but where it may stay.

    One of ``exit_status``, ``signal`` and ``errno`` (it could not be started) is given.
    ``tree_left`` is ``nothing``, ``ended`` or ``running``.
    """

    VERB: ClassVar[str] = "finish"
    id: str
    exit_status: int | None = None
    signal: int | None = None
    errno: int | None = None
    cpu_s: float | None = None
    peak_memory_bytes: int | None = None
    tree_left: str = "nothing"


class FinishReply(Message):
    """How the job has ended: cancelled or timed out, whatever its command made of it."""

    outcome: str
    reason: str | None = None
