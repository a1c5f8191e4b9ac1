"""What NVML tells, through the real pynvml and the helper process, and what it does not tell."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import psutil
import pytest

from hsched.devices.ask import DEADLINE_VARIABLE, read_once
from hsched.devices.reading import Device, Process, Reading
from tests.devices.fake import Fake

M = 1 << 20


def test_a_reading_travels_as_json() -> None:
    process = Process(7, None, True, root=3, visible=True, user="ann", name="x")
    device = Device("0", "GPU-a", "A", "0", 5, 1, 50, 40, (process,), "Name: no")
    for reading in (Reading((device, Device("1", "GPU-b", "B", "1"))), Reading((), "no", True)):
        assert Reading.of(reading.plain()) == reading


def test_devices_are_told_with_all_that_is_known(nvml: Fake) -> None:
    nvml.tell("gpu GPU-a 24576 util=30 temp=61", f"compute {os.getpid()} 1000", "gpu GPU-b 100")
    reading = read_once([os.getpid()])
    a, b = reading.devices
    assert (reading.trouble, reading.lost) == ("", ())
    assert a[:8] == ("0", "GPU-a", "Fake 24576", "0", 24576 * M, 1000 * M, 30, 61)
    assert (b.number, b.uuid, b.used, b.processes) == ("1", "GPU-b", 0, ())
    (mine,) = a.processes or ()
    assert (mine.pid, mine.memory, mine.root) == (os.getpid(), 1000 * M, os.getpid())
    assert None not in (mine.user, mine.name)
    assert mine.visible


def test_a_process_is_told_by_its_nearest_ancestor(nvml: Fake) -> None:
    nvml.tell("gpu GPU-a 100", f"compute {os.getpid()} 5", "graphics 1 6", "compute 999999999 7")
    (device,) = read_once([os.getppid()]).devices
    by_pid = {one.pid: one for one in device.processes or ()}
    assert by_pid[os.getpid()].root == os.getppid()
    assert (by_pid[1].root, by_pid[1].graphics) == (None, True)
    assert not by_pid[999999999].visible


def test_values_that_are_not_supported_are_unknown(nvml: Fake) -> None:
    refused = "Temperature,UtilizationRates,MemoryInfo,ComputeRunningProcesses"
    nvml.tell(f"gpu GPU-a 100 refuses={refused}")
    (device,) = read_once().devices
    assert device[4:9] == (None, None, None, None, None)
    assert "MemoryInfo: " in device.trouble
    assert "ComputeRunningProcesses: " in device.trouble


def test_what_the_driver_reserves_is_no_memory_for_programs(nvml: Fake) -> None:
    nvml.tell("gpu GPU-a 24576 reserved=600 used=7")
    (device,) = read_once().devices
    assert (device.total, device.used) == (23976 * M, 7 * M)


def test_memory_that_is_not_told_of_a_process_is_unknown(nvml: Fake) -> None:
    nvml.tell("gpu GPU-a 100 used=50", "compute 1 -1")
    (device,) = read_once().devices
    assert device.used == 50 * M
    assert [one.memory for one in device.processes or ()] == [None]


def test_mig_slices_are_the_devices_and_go_by_their_uuids(nvml: Fake) -> None:
    nvml.tell("gpu GPU-a 100 mig", "slice MIG-x 40 used=3", "slice MIG-y 50", "gpu GPU-b 100")
    told = [(one.number, one.uuid, one.cuda, one.total) for one in read_once().devices]
    assert told == [
        ("0:0", "MIG-x", "MIG-x", 40 * M),
        ("0:1", "MIG-y", "MIG-y", 50 * M),
        ("1", "GPU-b", "GPU-b", 100 * M),
    ]


def test_a_device_that_fell_off_is_lost_and_the_others_are_told(nvml: Fake) -> None:
    nvml.tell("gpu GPU-a 100 lost", "gpu GPU-b 100")
    reading = read_once()
    assert ([one.uuid for one in reading.devices], reading.lost) == (["GPU-b"], ("0",))


def test_a_device_that_falls_off_while_it_is_read_is_lost(nvml: Fake) -> None:
    nvml.tell("gpu GPU-a 100", "fails MemoryInfo 15")
    reading = read_once()
    assert (reading.devices, reading.lost, reading.trouble) == ((), ("0",), "")


def test_a_driver_that_is_not_loaded_is_trouble_that_may_pass(nvml: Fake) -> None:
    nvml.tell("fails Init 9")
    reading = read_once()
    assert reading.trouble.startswith("NVML: ")
    assert not reading.absent


def test_without_a_library_nvml_is_absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    reading = read_once()
    if shutil.which("nvidia-smi") is None:
        assert reading == Reading(trouble="there is no libnvidia-ml.so.1", absent=True)
    else:
        assert not reading.absent, "the real one is found without our help"


@pytest.mark.slow
@pytest.mark.parametrize("call", ["Init", "MemoryInfo"])
def test_a_call_that_hangs_costs_the_deadline_and_leaves_nothing(
    nvml: Fake, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    monkeypatch.setenv(DEADLINE_VARIABLE, "0.3")
    nvml.tell("gpu GPU-a 100", f"hangs {call}")
    before = set(psutil.Process().children())
    assert read_once() == Reading(trouble="NVML did not answer within 0.3 s")
    assert set(psutil.Process().children()) <= before


def test_a_module_in_the_working_directory_is_not_the_helpers(
    nvml: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')\n")
    monkeypatch.chdir(tmp_path)
    nvml.tell("gpu GPU-a 100")
    assert len(read_once().devices) == 1
