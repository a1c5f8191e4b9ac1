"""What outsiders use of a device, out of what NVML tells: pure."""

from __future__ import annotations

from typing import NamedTuple

from hsched.core.spec import format_bytes
from hsched.devices.reading import Device, Process

#: Used memory that no process has is nobody's up to this part, and this many bytes: contexts
#: of the driver, and what NVML rounds.
_NOISE = 1 / 64
_LEAST_NOISE = 64 << 20

#: From so many bytes on, memory that no process has means that somebody is there.
_SOMEBODY = 512 << 20


class Outsiders(NamedTuple):
    """Bytes that are not our jobs', and why the device cannot be had whole, or ""."""

    memory: int
    occupant: str


def seen(device: Device, claimed: int) -> Outsiders:
    """Return what others than our jobs use of ``device``.

    ``claimed`` is what our jobs claim of it.  Where NVML does not tell of each process how
    much it uses, tells of processes that are not visible here, or of none of ours (it hides
    some in containers), what jobs have claimed is taken to be theirs.
    """
    processes = device.processes or ()
    strangers = [one for one in processes if one.root is None and one.visible]
    theirs = sum(one.memory or 0 for one in strangers)
    ours = sum(one.memory or 0 for one in processes if one.root is not None)
    nobodys = max(0, (device.used or 0) - theirs - ours)
    if not (ours and _tells_all(device)):
        nobodys = max(0, nobodys - max(0, claimed - ours))
    if nobodys <= max(_LEAST_NOISE, int((device.total or 0) * _NOISE)):
        nobodys = 0
    return Outsiders(theirs + nobodys, _occupant(strangers, nobodys))


def describe(process: Process) -> str:
    """Return who a process is, in a few words: ``pid 7 (python) of ann, 10G``."""
    name = f" ({process.name})" if process.name else ""
    user = f" of {process.user}" if process.user else ""
    memory = "" if process.memory is None else f", {format_bytes(process.memory)}"
    return f"pid {process.pid}{name}{user}{memory}"


def _tells_all(device: Device) -> bool:
    processes = device.processes
    return processes is not None and all(
        one.visible and one.memory is not None for one in processes
    )


def _occupant(strangers: list[Process], nobodys: int) -> str:
    # A screen needs a little of its GPU and leaves the rest: only who computes occupies.
    computing = [one for one in strangers if not one.graphics]
    if computing:
        more = f" and {len(computing) - 1} more" if len(computing) > 1 else ""
        return describe(computing[0]) + more
    if nobodys >= _SOMEBODY:
        return f"{format_bytes(nobodys)} are used by a process that NVML does not tell of"
    return ""
