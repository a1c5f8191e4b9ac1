"""What a task asks of devices, as fields of the job that it becomes: the one place that knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hsched.errors import Refused
from hsched.tasks.planned import PlannedTask
from hsched.wire.slots import ResourceView

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
        there = f"{gpus} GPUs" if gpus else "no GPU, so the machine is the one device"
        raise Refused(f"task {task.name} asks for {task.min_devices} devices; there are {there}")
    if gpus:
        return {"slots": f"{_GPUS}={task.min_devices}"}
    return {"slots": f"{_CORES}=1" if totals.get(_CORES) else "0"}
