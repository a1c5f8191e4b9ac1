"""What outsiders use of a GPU: pure arithmetic on what NVML tells."""

from __future__ import annotations

import pytest

from hsched.broker.devices.outsiders import Outsiders, describe, seen
from hsched.devices.reading import Device, Process

M, G = 1 << 20, 1 << 30
OURS = Process(7, 10 * G, root=3, user="ann", name="train")
STRANGER = Process(8, 4 * G, user="bob", name="python")
SCREEN = Process(9, 300 * M, graphics=True, user="root", name="Xorg")
HIDDEN = Process(10, 4 * G, visible=False)
UNTOLD = Process(11, None, user="bob", name="python")


def gpu(used: int | None, *processes: Process) -> Device:
    """Return a GPU of 24 GiB."""
    return Device("0", "GPU-a", "A", "0", 24 * G, used, processes=processes)


@pytest.mark.parametrize(
    ("device", "claimed", "outside"),
    [
        (gpu(0), 0, 0),
        (gpu(100 * M), 0, 0),  # the driver's own
        (gpu(10 * G, OURS), 12 * G, 0),
        (gpu(14 * G, OURS, STRANGER), 12 * G, 4 * G),
        (gpu(300 * M, SCREEN), 0, 300 * M),
        (gpu(5 * G, STRANGER), 0, 5 * G),
        (gpu(None, STRANGER), 0, 4 * G),
        # Of whom NVML does not tell all, what jobs claim is theirs.
        (gpu(4 * G, HIDDEN), 0, 4 * G),
        (gpu(4 * G, HIDDEN), 4 * G, 0),
        (gpu(14 * G, OURS, HIDDEN), 12 * G, 2 * G),
        (gpu(4 * G, UNTOLD), 0, 4 * G),
        (gpu(4 * G)._replace(processes=None), 3 * G, G),
        (gpu(4 * G), 0, 4 * G),
        (gpu(4 * G), 3 * G, G),
        (gpu(14 * G, OURS), 20 * G, 4 * G),
        (gpu(None)._replace(processes=None), 0, 0),
    ],
)
def test_memory_that_is_not_our_jobs(device: Device, claimed: int, outside: int) -> None:
    assert seen(device, claimed).memory == outside


def test_who_computes_occupies_a_gpu_and_a_screen_does_not() -> None:
    assert seen(gpu(300 * M, SCREEN), 0) == Outsiders(300 * M, "")
    assert seen(gpu(10 * G, OURS), 0).occupant == ""
    assert seen(gpu(4 * G, STRANGER), 0).occupant == "pid 8 (python) of bob, 4G"
    assert seen(gpu(8 * G, STRANGER, UNTOLD), 0).occupant == "pid 8 (python) of bob, 4G and 1 more"
    assert seen(gpu(4 * G), 0).occupant == "4G are used by a process that NVML does not tell of"


def test_a_process_is_described_by_what_is_known_of_it() -> None:
    assert describe(UNTOLD) == "pid 11 (python) of bob"
    assert describe(HIDDEN) == "pid 10, 4G"
