"""What jobs do with the GPUs that they hold: sampled while they run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from hsched.devices.reading import Device

#: Seconds between two samples.
SAMPLE_S = 5.0


class DeviceUse(NamedTuple):
    """What a job did with its GPUs, as far as NVML told.

    ``peak_memory`` are bytes on all of them together, ``utilisation`` the mean percentage
    of time in which they computed, whoever for; ``untouched`` the slots on which no process
    of the job was ever seen.  None is what is not known.
    """

    peak_memory: int | None
    utilisation: float | None
    untouched: tuple[int, ...] | None


@dataclass(slots=True)
class Usage:
    """The samples of one running job; ``root`` is the process that its tree descends from."""

    slots: tuple[int, ...]
    root: int | None = None
    _peak: int | None = None
    _utilisation: list[int] = field(default_factory=lambda: [0, 0])  # sum and number
    _touched: set[int] = field(default_factory=set)
    #: Slots of which some sample did not tell who uses them.
    _unknown: set[int] = field(default_factory=set)
    _samples: int = 0

    def take(self, devices: Mapping[int, Device]) -> None:
        """Take a sample: the devices by slot."""
        memory: int | None = None
        for slot in self.slots:
            device = devices.get(slot)
            if device is not None and device.utilisation is not None:
                self._utilisation[0] += device.utilisation
                self._utilisation[1] += 1
            processes = None if device is None else device.processes
            if processes is None or not all(one.visible for one in processes):
                self._unknown.add(slot)
            for one in processes or ():
                if one.root == self.root:
                    self._touched.add(slot)
                    if one.memory is not None:
                        memory = (memory or 0) + one.memory
        self._samples += 1
        if memory is not None:
            self._peak = max(memory, self._peak or 0)

    def result(self) -> DeviceUse | None:
        """Return what the samples come to; None without any."""
        if not self._samples:
            return None
        total, count = self._utilisation
        known = set(self.slots) - self._unknown
        return DeviceUse(
            self._peak if self._touched or self._unknown else 0,
            round(total / count, 1) if count else None,
            tuple(sorted(known - self._touched)),
        )


def by_slot(uuids: Sequence[str], devices: Mapping[str, Device]) -> dict[int, Device]:
    """Return the devices that were seen, by the slots that they are."""
    return {slot: devices[uuid] for slot, uuid in enumerate(uuids) if uuid in devices}
