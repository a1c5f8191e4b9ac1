"""Which devices the slots are: tied by UUID when the run begins, and kept with its options."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from hsched.core.devices import GPUS
from hsched.core.model import Resource, Sharing
from hsched.devices.reading import Device, Reading


class Slot(NamedTuple):
    """The device that a slot is; ``cuda`` stands for it in CUDA_VISIBLE_DEVICES."""

    uuid: str
    name: str
    cuda: str
    memory: int | None


class Mapping(NamedTuple):
    """The devices by slot, of the resource at ``position``; None means the machine.

    There may be more devices than slots, for slots that are added, and fewer: what is
    beyond is a number and nothing else.
    """

    position: int | None
    slots: tuple[Slot, ...] = ()

    def plain(self) -> dict[str, Any]:
        """Return it as the options of a run keep it."""
        return {"position": self.position, "slots": [list(slot) for slot in self.slots]}

    @classmethod
    def of(cls, options: dict[str, Any], resources: Sequence[Resource]) -> Mapping:
        """Return what the options of a run say, for one of before they did, what follows."""
        kept = options.get("devices")
        if kept is None:
            return cls(position_of(resources))
        position, slots = kept["position"], tuple(Slot(*slot) for slot in kept["slots"])
        names = [resource.name for resource in resources]
        if position is not None and names[position : position + 1] != [GPUS]:
            position = position_of(resources)  # the run goes on with other resources
        return cls(position, slots)

    def sharing(self) -> Sharing:
        """Return the devices that jobs can share."""
        if self.position is None:
            return Sharing((machine_memory(),))
        known = [slot.memory for slot in self.slots]
        if None in known:  # nothing can be shared of what tells no memory, and slots go by number
            known = known[: known.index(None)]
        return Sharing(tuple(memory for memory in known if memory is not None), self.position)


def identified(
    options: dict[str, Any], resources: Sequence[Resource], reading: Reading, visible: str | None
) -> dict[str, Any]:
    """Return the options of a run with what is known of its devices, and a warning about them.

    Slots that are tied to devices stay so.  ``visible`` is CUDA_VISIBLE_DEVICES of whoever
    starts the scheduler: only those devices are slots, in that order.
    """
    mapping = Mapping.of(options, resources)
    position = mapping.position
    if position is None:
        return {**options, "devices": mapping.plain(), "device_warning": ""}
    if not mapping.slots:
        there = seen_by_cuda(reading.devices, visible)
        slots = tuple(Slot(one.uuid, one.name, one.cuda, one.total) for one in there)
        mapping = mapping._replace(slots=slots)
    warning = _warning(resources[position], mapping, reading)
    changed = {**options, "devices": mapping.plain(), "device_warning": warning}
    if not mapping.slots or reading.trouble:
        return changed
    uuids = [slot.uuid for slot in mapping.slots]
    return with_gone(changed, resources[position], uuids, reading)


def with_gone(
    options: dict[str, Any], resource: Resource, uuids: Sequence[str], reading: Reading
) -> dict[str, Any]:
    """Return the options of a run with the slots drained whose devices are gone.

    ``gone`` says which these are; those that have come back are no longer drained.
    """
    there = reading.by_uuid().keys()
    gone = [slot for slot, uuid in enumerate(uuids[: resource.capacity]) if uuid not in there]
    before = options.get("gone", [])
    if gone == before:
        return options
    drained = options.get("drained", {})
    kept = set(drained.get(resource.name, ())) - set(before) | set(gone)
    return {**options, "gone": gone, "drained": {**drained, resource.name: sorted(kept)}}


def seen_by_cuda(devices: Sequence[Device], visible: str | None) -> list[Device]:
    """Return the devices that CUDA would see, in its order, with ``visible`` as it reads it.

    A word is a number or the beginning of a UUID; the first that is neither ends the list.
    """
    if visible is None:
        return list(devices)
    found: list[Device] = []
    for word in (one.strip() for one in visible.split(",")):
        fitting = [
            one
            for one in devices
            if one.number == word or (not word.isdigit() and word and one.uuid.startswith(word))
        ]
        if len(fitting) != 1 or fitting[0] in found:
            break
        found += fitting
    return found


def position_of(resources: Sequence[Resource]) -> int | None:
    """Return the position of the GPUs, None where there are none."""
    for position, resource in enumerate(resources):
        if resource.name == GPUS and resource.numbered and resource.capacity:
            return position
    return None


def machine_memory() -> int:
    """Return the bytes of memory that this machine has."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _warning(resource: Resource, mapping: Mapping, reading: Reading) -> str:
    declared, there = resource.capacity, len(mapping.slots)
    if reading.absent:
        return ""  # nobody claims that these are NVIDIA's
    if reading.trouble:
        return f"{reading.trouble}; who uses the {resource.name} besides jobs is not known"
    if declared > there:
        number = resource.name if there != 1 else resource.name.removesuffix("s")
        return (
            f"{declared} {resource.name} were asked for, and NVML sees {there} {number}; "
            f"the slots from {resource.name}:{there} on are numbers without a device"
        )
    return ""
