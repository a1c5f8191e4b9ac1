"""What a task asks of devices, as fields of the job that it becomes: the one place that knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hsched.errors import Refused
from hsched.tasks.planned import PlannedTask
from hsched.wire.slots import ResourceView

if TYPE_CHECKING:
    from hsched.wire.jobs import JobView

_GPUS, _CORES = "gpus", "cores"


def device_fields(task: PlannedTask, resources: Sequence[ResourceView]) -> dict[str, Any]:
    """Return the fields of :class:`~hsched.wire.submit.JobSpec` that hold what ``task`` asks for.

    ``slots`` as given, if they were.  Else shares of that many devices, where memory was
    asked for; else so many whole GPUs.  Where there is no GPU, the machine itself is the
    one device, and a task that does not share it by memory takes one of its cores.

    Raises:
        Refused: there are not so many devices.
    """
    if task.slots is not None:
        return {"slots": task.slots}
    if task.memory or task.memory_fraction:
        return {
            "slots": "0",
            "min_devices": max(1, task.min_devices),
            "device_memory": task.memory,
            "device_share": task.memory_fraction,
        }
    if not task.min_devices:
        return {"slots": "0"}
    totals = {one.name: one.total for one in resources}
    gpus = totals.get(_GPUS, 0)
    if task.min_devices > max(1, gpus):
        known = "is 1 GPU" if gpus == 1 else f"are {gpus} GPUs"
        there = known if gpus else "is no GPU, so the machine is the one device"
        raise Refused(f"task {task.name} asks for {task.min_devices} devices; there {there}")
    if gpus:
        return {"slots": f"{_GPUS}={task.min_devices}"}
    return {"slots": f"{_CORES}=1" if totals.get(_CORES) else "0"}


def changed_fields(
    job: JobView, changes: Mapping[str, Any], resources: Sequence[ResourceView]
) -> dict[str, Any]:
    """Return the fields of an update that gives a waiting task other devices.

    ``changes`` are fields of :class:`PlannedTask`: ``min_devices``, or ``memory`` and
    ``memory_fraction``.  A task that asked for devices alone is treated as if it had been
    created so; one that asked for slots keeps these.

    Raises:
        Refused: there are not so many devices.
    """
    amounts = {name: held.amount for name, held in job.request.items() if held.amount}
    by_itself = {_GPUS} if any(one.name == _GPUS and one.total for one in resources) else {_CORES}
    if not amounts.keys() <= by_itself or amounts.get(_CORES, 0) > 1:
        names = {"memory": "device_memory", "memory_fraction": "device_share"}
        return {names.get(name, name): value for name, value in changes.items()}
    now: dict[str, Any] = {
        "min_devices": job.min_devices or amounts.get(_GPUS, amounts.get(_CORES, 0)),
        "memory": job.device_memory_bytes,
    }
    task = PlannedTask(name=job.name or f"job {job.id}", **{**now, **changes})
    none = {"min_devices": 0, "device_memory": 0, "device_share": 0.0}
    return {**none, **device_fields(task, resources)}
