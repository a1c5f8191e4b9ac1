"""The engine that runs jobs on this machine: shims, and processes that were adopted.

An engine is the edge between a broker and what runs its jobs.  This one and
:class:`~hsched.broker.slurm.engine.SlurmEngine` have the same methods.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from hsched.core.effects import Effect
from hsched.core.job import Job
from hsched.core.model import JobId
from hsched.errors import Refused
from hsched.wire.run import TurnReply
from hsched.wire.submit import JobSpec
from hsched.wire.update import UpdateRequest

if TYPE_CHECKING:
    from hsched.broker.broker import Broker


class Local:
    """Passes signals on.  Starts are the broker's own: devices, starter and shims."""

    #: Whether another scheduler starts the jobs.
    is_remote = False
    #: Whether nothing is left to be said to it.
    is_settled = True
    #: When :meth:`look_at` is due: never.
    deadline: float | None = None

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def signal(self, job_id: JobId, number: int) -> None:
        """Have every process of a job's tree get a signal."""
        self._broker.holders(job_id).signal(job_id, number)

    def committed(self, effects: Iterable[Effect]) -> None:
        """Do what follows from a turn that is on disk, besides starts and signals: nothing."""

    def recovered(self) -> None:
        """Begin, with the live jobs in the core: they have been looked for already."""

    def reset(self) -> None:
        """Forget what belongs to a core that was built anew."""

    def look_at(self, now: float) -> None:
        """Do what is due: nothing."""

    def check(self, spec: JobSpec) -> None:
        """Check that a job can run here.

        Raises:
            Refused: it asks for what another engine has.
        """
        if spec.engine_options:
            raise Refused(
                f"--engine-option {spec.engine_options[0]}: this scheduler runs its jobs itself; "
                "such options are for `hstart --engine slurm`"
            )

    def check_update(self, ids: Iterable[JobId], request: UpdateRequest) -> None:
        """Check what pending jobs shall be changed to: all can be."""

    def awaited(self, job_id: JobId) -> None:
        """Take note that a hrun waits for its turn: that comes with its slots."""

    def turn(self, job: Job, spec: JobSpec) -> TurnReply | None:
        """Return what a hrun may begin with that still waits: nothing before its slots are free."""
        return None

    def refuse(self, what: str) -> None:
        """Refuse what only a scheduler that runs its jobs itself can do: nothing, here."""

    def had_turn(self, job_id: JobId) -> None:
        """Note the start of a job whose hrun has had its turn: it is known, here."""

    def reason(self, job: Job) -> str:
        """Return why a pending job waits, in another's words; empty: the core knows."""
        return ""

    def engine_id(self, job_id: JobId) -> str | None:
        """Return the id of a job in another scheduler: it has none."""
        return None

    def close(self) -> None:
        """Leave the jobs alone: they go on."""
