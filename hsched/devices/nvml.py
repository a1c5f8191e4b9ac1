"""Reading NVML through pynvml: whatever it does not tell is None, and no reason to fail.

Only the helper process imports this: any of these calls may hang.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from hsched.devices.reading import Device, Process, Reading

T = TypeVar("T")

_LIBRARY = "libnvidia-ml.so.1"


class _Lost(Exception):
    """The device has fallen off the bus: it still has a name, and tells nothing else."""


class Nvml:
    """The library, loaded and initialised when it is first read, and again after a failure."""

    def __init__(self) -> None:
        self._pynvml: Any = None

    def read(self) -> Reading:
        """Return what NVML sees now; its failures are part of that."""
        try:
            ctypes.CDLL(_LIBRARY)  # cheaper than to import pynvml where there is none
        except OSError:
            return Reading(trouble=f"there is no {_LIBRARY}", absent=True)
        import pynvml

        try:
            if self._pynvml is None:
                pynvml.nvmlInit()
                self._pynvml = pynvml
            return self._read(pynvml.nvmlDeviceGetCount())
        except pynvml.NVMLError as error:
            self._forget()
            return Reading(trouble=f"NVML: {error}")

    def _forget(self) -> None:
        # A driver that was reloaded answers only who begins anew.
        if self._pynvml is not None:
            self._told(self._pynvml.nvmlShutdown)
        self._pynvml = None

    def _read(self, count: int) -> Reading:
        nvml = self._pynvml
        devices: list[Device] = []
        lost: list[str] = []
        for index in range(count):
            try:
                handle = nvml.nvmlDeviceGetHandleByIndex(index)
                uuid = nvml.nvmlDeviceGetUUID(handle)
                slices = list(self._slices(handle, index))
                devices += slices or [self._device(handle, str(index), uuid)]
            except (nvml.NVMLError, _Lost):
                lost.append(str(index))
        if any(device.uuid.startswith("MIG-") for device in devices):
            # Where there are slices, a number means nothing to CUDA.
            devices = [device._replace(cuda=device.uuid) for device in devices]
        return Reading(tuple(devices), lost=tuple(lost))

    def _slices(self, handle: Any, index: int) -> Iterator[Device]:
        nvml = self._pynvml
        mode = self._told(nvml.nvmlDeviceGetMigMode, handle)
        if mode is None or mode[0] != nvml.NVML_DEVICE_MIG_ENABLE:
            return
        for number in range(self._told(nvml.nvmlDeviceGetMaxMigDeviceCount, handle) or 0):
            slice_ = self._told(nvml.nvmlDeviceGetMigDeviceHandleByIndex, handle, number)
            uuid = None if slice_ is None else self._told(nvml.nvmlDeviceGetUUID, slice_)
            if uuid is not None:
                yield self._device(slice_, f"{index}:{number}", uuid)

    def _device(self, handle: Any, number: str, uuid: str) -> Device:
        nvml = self._pynvml
        trouble: list[str] = []

        def told(function: Callable[..., T], *arguments: Any) -> T | None:
            return self._told(function, *arguments, trouble=trouble)

        total, used = self._memory(handle, trouble)
        rates: Any = told(nvml.nvmlDeviceGetUtilizationRates, handle)
        return Device(
            number=number,
            uuid=uuid,
            name=told(nvml.nvmlDeviceGetName, handle) or "?",
            cuda=number,
            total=total,
            used=used,
            utilisation=None if rates is None else rates.gpu,
            temperature=told(nvml.nvmlDeviceGetTemperature, handle, nvml.NVML_TEMPERATURE_GPU),
            processes=self._processes(handle, trouble),
            trouble="; ".join(trouble),
        )

    def _memory(self, handle: Any, trouble: list[str]) -> tuple[int | None, int | None]:
        nvml = self._pynvml
        found: Any = self._told(nvml.nvmlDeviceGetMemoryInfo, handle, nvml.nvmlMemory_v2)
        if found is not None:
            return found.total - found.reserved, found.used
        found = self._told(nvml.nvmlDeviceGetMemoryInfo, handle, trouble=trouble)
        return (None, None) if found is None else (found.total, found.used)

    def _processes(self, handle: Any, trouble: list[str]) -> tuple[Process, ...] | None:
        nvml = self._pynvml
        compute: Any = self._told(
            nvml.nvmlDeviceGetComputeRunningProcesses, handle, trouble=trouble
        )
        graphics: Any = self._told(nvml.nvmlDeviceGetGraphicsRunningProcesses, handle)
        if compute is None:
            return None
        found = {one.pid: Process(one.pid, one.usedGpuMemory, True) for one in graphics or ()}
        found |= {one.pid: Process(one.pid, one.usedGpuMemory) for one in compute}
        return tuple(found[pid] for pid in sorted(found))

    def _told(
        self, function: Callable[..., T], *arguments: Any, trouble: list[str] | None = None
    ) -> T | None:
        # What NVML answers, None where it refuses; what it has refused is noted in `trouble`.
        nvml = self._pynvml
        try:
            return function(*arguments)
        except nvml.NVMLError as error:
            if error.value in (nvml.NVML_ERROR_GPU_IS_LOST, nvml.NVML_ERROR_GPU_NOT_FOUND):
                raise _Lost from error
            if trouble is not None:
                what = function.__name__.removeprefix("nvmlDeviceGet")
                trouble.append(f"{what}: {error}")
            return None
