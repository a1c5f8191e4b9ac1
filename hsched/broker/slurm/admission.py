"""What Slurm cannot be asked for is refused at once, with a word about what can be done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hsched.broker.foreground import KIND, Foreground
from hsched.core.model import JobId, format_job_id
from hsched.errors import Refused
from hsched.slurm import options, table
from hsched.wire.submit import JobSpec
from hsched.wire.update import UpdateRequest


def check(spec: JobSpec, site: Mapping[str, str]) -> None:
    """Check that Slurm can be asked for a job.

    Raises:
        Refused: it cannot; the text says what to do.
        WrongUsage: an option of the site makes no sense.
    """
    options.parse(spec.engine_options)
    _check_priority(spec.priority, site)
    _check_memory(spec.device_memory, spec.device_share)
    if spec.kind == KIND and spec.jobserver:
        raise Refused("hrun --jobserver: its slots are on a node; hsubmit --jobserver does it")
    if spec.leave_children:
        raise Refused("--leave-children: Slurm ends what outlives a job; start it as its own")


def check_update(
    ids: Iterable[JobId], request: UpdateRequest, site: Mapping[str, str], foreground: Foreground
) -> None:
    """Check what pending jobs shall be changed to.

    Raises:
        Refused: Slurm cannot be asked for it.
    """
    _check_priority(request.priority or 0, site)
    _check_memory(request.device_memory, request.device_share)
    for one in ids:
        if one in foreground and not foreground.waits(one):
            raise Refused(
                f"job {format_job_id(one)} waits in Slurm by the srun of its hrun: end it, and "
                "run it anew"
            )


def _check_memory(memory: int | None, share: float | None) -> None:
    if memory or share:
        raise Refused("shares of GPUs are given out by hsched alone; ask Slurm for whole ones")


def _check_priority(priority: int, site: Mapping[str, str]) -> None:
    """Check that ``--nice`` would not be negative, which is for administrators."""
    room = int(options.number(site, options.NICE, 0))
    if table.nice_of(priority, room) < 0:
        raise Refused(
            f"priority {priority} would be --nice={room - priority}, and users of Slurm cannot "
            f"make that negative; {room} is the most here, and `hstart --engine-option nice=N` "
            "makes room above it"
        )
