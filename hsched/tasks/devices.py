"""What a task asks of devices, as fields of the job that it becomes: the one place that knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hsched.errors import Refused
from hsched.tasks.planned import PlannedTask
from hsched.wire.slots import ResourceView
from hsched.wire.submit import JobSpec

_GPUS, _CORES, _MEMORY = "gpus", "cores", "mem"


def device_fields(task: PlannedTask, resources: Sequence[ResourceView]) -> dict[str, Any]:
    """Return the fields of :class:`JobSpec` that hold what ``task`` asks for.

    ``slots`` as given, if they were.  Else, without memory, that many whole GPUs; where
    there are none, one core: the machine itself is the one device then.

    Raises:
        Refused: there are not so many devices.
    """
    if task.slots is not None:
        return {"slots": task.slots}
    totals = {one.name: one.total for one in resources}
    if task.memory or task.memory_fraction:
        return _with_memory(task, totals)
    if not task.min_devices:
        return {"slots": "0"}
    if totals.get(_GPUS):
        _check_count(task, totals[_GPUS], "GPUs")
        return {"slots": f"{_GPUS}={task.min_devices}"}
    _check_count(task, 1, "device, the machine itself")
    return {"slots": f"{_CORES}=1" if totals.get(_CORES) else "0"}


def _with_memory(task: PlannedTask, totals: dict[str, int]) -> dict[str, Any]:
    if "device_memory" not in JobSpec._defaults and not totals.get(_GPUS):
        _check_count(task, 1, "device, the machine itself")
        total = totals.get(_MEMORY, 0)
        size = task.memory or round(task.memory_fraction * total)
        if total and size > total:
            raise Refused(
                f"task {task.name} asks for {size >> 20} MiB of memory, and the machine has "
                f"{total >> 20} MiB"
            )
        return {"slots": f"{_MEMORY}={size}B" if total else "0"}
    return {"slots": "0", "min_devices": max(1, task.min_devices), "device_memory": task.memory}


def _check_count(task: PlannedTask, total: int, what: str) -> None:
    if task.min_devices > total:
        raise Refused(
            f"task {task.name} asks for {task.min_devices} devices, and there is {total} {what}"
        )
