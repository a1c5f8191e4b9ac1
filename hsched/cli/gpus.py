"""``hsched gpus``: the GPUs of this machine, what is left of them, and who uses them.

Words and keys are those of gpustat, and a few more.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from hsched import paths
from hsched.cli.common import Command, for_people, json_option, put, run, scheduler_option
from hsched.cli.render import columns, word
from hsched.client import Client
from hsched.devices.ask import read_once
from hsched.errors import HschedError, NotRunning

if TYPE_CHECKING:
    from hsched.devices.reading import Device, Process
    from hsched.wire.devices import DeviceSlot, DevicesReply

HEADER = ("GPU", "UUID", "NAME", "TEMP", "UTIL", "USED", "FREE", "TOTAL", "CLAIMED", "WHO")
_WIDTHS = (4, 40, 24, 5, 5, 8, 8, 8, 8)
_MIB = 1 << 20


@click.command("hsched gpus", cls=Command, examples=("hsched gpus", "hsched gpus --json"))
@json_option
@scheduler_option
def command(scheduler: str | None, as_json: bool) -> None:
    """List the GPUs: memory in MiB, what jobs claim of it, and who uses it.

    WHO names each process as JOB:COMMAND/PID(MiB), or USER:COMMAND/PID(MiB) where it is no
    job's, and jobs that hold the GPU as JOB. Without a scheduler nothing is claimed.
    """
    known = _known(scheduler)
    roots = {} if known is None else {int(pid): job for pid, job in known.roots.items()}
    reading = read_once(roots)
    if reading.trouble and not reading.absent:
        raise HschedError(f"{reading.trouble}; who uses the GPUs is not known")
    slots = {} if known is None else {slot.uuid: slot for slot in known.slots}
    found = [_gpu(device, slots.pop(device.uuid, None), roots) for device in reading.devices]
    found += [_gone(slot) for slot in slots.values()]
    if as_json:
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        put([json.dumps({"hostname": paths.host(), "query_time": now, "gpus": found})])
    elif not found:
        put(["no GPUs found"])
    elif for_people():
        from hsched.cli.table import show_table  # slow to import, and for people only

        show_table(HEADER, [_cells(gpu, gpu["name"]) for gpu in found])
    else:
        rows = [_cells(gpu, word(gpu["name"])) for gpu in found]
        put(columns([HEADER, *rows], _WIDTHS))


def _known(scheduler: str | None) -> DevicesReply | None:
    """Return what the scheduler knows; None where none runs and none was named."""
    try:
        with Client(scheduler) as client:
            return client.devices()
    except NotRunning:
        if scheduler is not None:
            raise
        return None


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


def _cells(gpu: dict[str, Any], name: str) -> tuple[str, ...]:
    """Return a GPU as one line, in the order of the header; `?` is what NVML does not tell."""
    number = "gone" if gpu["index"] is None else str(gpu["index"])
    shown = ("memory.used", "memory.free", "memory.total", "memory.claimed")
    return (
        number,
        gpu["uuid"],
        name,
        _or_unknown(gpu["temperature.gpu"]),
        _or_unknown(gpu["utilization.gpu"]),
        *(_or_unknown(gpu[key]) for key in shown),
        " ".join(_who(gpu)) or "-",
    )


def _who(gpu: dict[str, Any]) -> Iterator[str]:
    processes = gpu["processes"] or ()
    for process in processes:
        owner = process["job"] or process["username"] or "?"
        memory = _or_unknown(process["gpu_memory_usage"])
        yield word(f"{owner}:{process['command'] or '?'}/{process['pid']}({memory}M)")
    there = {process["job"] for process in processes}
    yield from (job for job in gpu["jobs"] if job not in there)


def _mib(amount: int | None) -> int | None:
    return None if amount is None else amount // _MIB


def _or_unknown(value: object) -> str:
    return "?" if value is None else str(value)


def main() -> None:
    """Be the program."""
    run(command)
