"""What NVML tells at one moment, as plain records that travel as JSON."""

from __future__ import annotations

from typing import Any, NamedTuple


class Process(NamedTuple):
    """A process that uses a device; ``memory`` is in bytes, None where NVML does not tell.

    ``root`` is the nearest of the processes that were asked about which it descends from.
    A process that is not ``visible`` lives in another pid namespace, and may be anybody's.
    """

    pid: int
    memory: int | None
    graphics: bool = False
    root: int | None = None
    visible: bool = True
    user: str | None = None
    name: str | None = None


class Device(NamedTuple):
    """A GPU, or a MIG slice of one; bytes, percent and degrees Celsius, None where unknown.

    ``number`` counts as NVML does, ``0:1`` for a slice; ``cuda`` is what stands for it in
    CUDA_VISIBLE_DEVICES.  ``total`` is what programs can have: without what the driver keeps
    for itself.  ``processes`` are None where NVML does not list them, and ``trouble`` says
    what it has refused to tell.
    """

    number: str
    uuid: str
    name: str
    cuda: str
    total: int | None = None
    used: int | None = None
    utilisation: int | None = None
    temperature: int | None = None
    processes: tuple[Process, ...] | None = None
    trouble: str = ""


class Reading(NamedTuple):
    """The devices that NVML sees, or why it sees none.

    ``trouble`` is a clause for people.  ``absent`` says that there is no NVML here at all;
    otherwise trouble may pass.  ``lost`` are the numbers of devices that do not answer.
    """

    devices: tuple[Device, ...] = ()
    trouble: str = ""
    absent: bool = False
    lost: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        devices = [
            {
                **device._asdict(),
                "processes": None
                if device.processes is None
                else [process._asdict() for process in device.processes],
            }
            for device in self.devices
        ]
        return {**self._asdict(), "devices": devices}

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Reading:
        """Return what :meth:`plain` was made of."""
        devices = tuple(_device(one) for one in plain["devices"])
        lost = tuple(plain["lost"])
        return cls(devices, plain["trouble"], plain["absent"], lost)

    def by_uuid(self) -> dict[str, Device]:
        """Return the devices by their UUIDs."""
        return {device.uuid: device for device in self.devices}


def _device(plain: dict[str, Any]) -> Device:
    processes = plain["processes"]
    found = None if processes is None else tuple(Process(**one) for one in processes)
    return Device(**{**plain, "processes": found})
