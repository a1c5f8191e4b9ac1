"""What a job did with its GPUs, out of samples."""

from __future__ import annotations

from hsched.broker.devices.usage import DeviceUse, Usage, by_slot
from hsched.devices.reading import Device, Process

MINE, OTHER = Process(7, 5, root=3), Process(8, 50, root=4)


def gpu(utilisation: int | None, *processes: Process, told: bool = True) -> Device:
    """Return a GPU."""
    listed = processes if told else None
    return Device("0", "GPU-a", "A", "0", 100, 60, utilisation, 40, listed)


def test_without_a_sample_nothing_is_known() -> None:
    assert Usage((0,), root=3).result() is None


def test_the_peak_is_of_all_devices_together_and_the_utilisation_a_mean() -> None:
    usage = Usage((0, 1), root=3)
    usage.take({0: gpu(10, MINE, OTHER), 1: gpu(50, MINE)})
    usage.take({0: gpu(None, MINE._replace(memory=None)), 1: gpu(0)})
    assert usage.result() == DeviceUse(10, 20.0, ())


def test_a_device_on_which_no_process_was_ever_seen_is_untouched() -> None:
    usage = Usage((0, 1), root=3)
    usage.take({0: gpu(90, OTHER), 1: gpu(0)})
    assert usage.result() == DeviceUse(0, 45.0, (0, 1))
    usage.take({0: gpu(90), 1: gpu(0, MINE)})
    assert usage.result() == DeviceUse(5, 45.0, (0,))


def test_where_processes_are_not_told_nobody_is_blamed() -> None:
    usage = Usage((0, 1, 2), root=3)
    usage.take({0: gpu(1, told=False), 1: gpu(2, Process(9, 5, visible=False))})
    assert usage.result() == DeviceUse(None, 1.5, ())


def test_devices_go_by_slot() -> None:
    device = gpu(0)
    assert by_slot(["GPU-b", "GPU-a"], {"GPU-a": device}) == {1: device}
