"""A GPU as a row: what NVML tells of it, and what the scheduler's jobs hold of it.

Keys are those of gpustat, and a few more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hsched.devices.reading import Device, Process, Reading
    from hsched.wire.devices import DeviceSlot, DevicesReply

_MIB = 1 << 20


def roots_of(known: DevicesReply | None) -> dict[int, str]:
    """Return the processes that jobs descend from, with the ids of the jobs."""
    return {} if known is None else {int(pid): job for pid, job in known.roots.items()}


def gpu_rows(known: DevicesReply | None, reading: Reading) -> list[dict[str, Any]]:
    """Return the GPUs that NVML sees, and those of the scheduler that it sees no more."""
    roots = roots_of(known)
    slots = {} if known is None else {slot.uuid: slot for slot in known.slots}
    found = [_gpu(device, slots.pop(device.uuid, None), roots) for device in reading.devices]
    return found + [_gone(slot) for slot in slots.values()]


def trouble_of(reading: Reading) -> str | None:
    """Return why NVML told nothing, as a clause; None where it told, or is not there at all."""
    if not reading.trouble or reading.absent:
        return None
    return f"{reading.trouble}; who uses the GPUs is not known"


def _gpu(device: Device, slot: DeviceSlot | None, roots: dict[int, str]) -> dict[str, Any]:
    """Return a GPU as JSON tells of it."""
    processes = None
    if device.processes is not None:
        processes = [_process(one, roots) for one in device.processes]
    total, used = device.total, device.used
    return {
        "index": int(device.number) if device.number.isdigit() else device.number,
        "uuid": device.uuid,
        "name": device.name,
        "temperature.gpu": device.temperature,
        "utilization.gpu": device.utilisation,
        "memory.used": _mib(used),
        "memory.total": _mib(total),
        "memory.free": None if total is None or used is None else _mib(max(0, total - used)),
        **_standing(slot, total),
        "processes": processes,
    }


def _gone(slot: DeviceSlot) -> dict[str, Any]:
    """Return a GPU of the scheduler that NVML does not see any more."""
    empty = ("temperature.gpu", "utilization.gpu", "memory.used", "memory.total", "memory.free")
    head = {"index": None, "uuid": slot.uuid, "name": slot.name}
    return {**head, **dict.fromkeys(empty), **_standing(slot, slot.memory), "processes": None}


def _standing(slot: DeviceSlot | None, total: int | None) -> dict[str, Any]:
    if slot is None:
        return {"memory.claimed": 0, "slot": None, "jobs": [], "whole": False, "drained": False}
    claimed = (total or slot.memory) if slot.whole else slot.claimed
    standing = {"whole": slot.whole, "drained": slot.drained}
    return {"memory.claimed": _mib(claimed), "slot": slot.slot, "jobs": list(slot.jobs)} | standing


def _process(process: Process, roots: dict[int, str]) -> dict[str, Any]:
    return {
        "username": process.user,
        "command": process.name,
        "pid": process.pid,
        "gpu_memory_usage": _mib(process.memory),
        "job": None if process.root is None else roots.get(process.root),
    }


def _mib(amount: int | None) -> int | None:
    return None if amount is None else amount // _MIB
