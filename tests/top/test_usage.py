"""What process trees use, and what NVML tells of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from hsched.cli.top.usage import Sampler, Tree, on_gpus
from hsched.devices.reading import Device, Process, Reading

#: A parent that does nothing, whose child's child has memory and CPU time.
BUSY = "b = bytearray(64 << 20); print('busy', flush=True)\nwhile True: pass"
TREE = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BUSY!r}])"


@pytest.fixture
def busy() -> Iterator[int]:
    """The root of a tree of two processes."""
    root = subprocess.Popen([sys.executable, "-c", TREE], stdout=-1, start_new_session=True)
    assert root.stdout is not None
    assert root.stdout.readline() == b"busy\n"
    yield root.pid
    os.killpg(root.pid, 9)
    root.wait()
    root.stdout.close()


def test_a_tree_is_looked_at_as_a_whole(busy: int) -> None:
    sampler = Sampler()
    (first,) = sampler.look([Tree("7", busy)]).values()
    assert first.cpu is None, "nothing to compare with"
    assert first.memory is not None
    assert first.memory >= 64 << 20
    second = sampler.look([Tree("7", busy)])["7"]
    while not second.cpu:
        second = sampler.look([Tree("7", busy)])["7"]
    with_root = sampler.look([Tree("7", busy, counts=True)])["7"]
    assert with_root.memory is not None
    assert with_root.memory > first.memory
    sampler.close()


def test_a_tree_that_is_gone_uses_nothing(busy: int) -> None:
    assert Sampler().look([Tree("7", 2**22 + 1)])["7"] == (None, None, None, None)


def test_the_machine() -> None:
    machine = Sampler().machine()
    assert machine.cores >= 1
    assert 0 < machine.memory < machine.total


def test_gpus_are_told_by_the_tree_and_by_what_the_job_holds() -> None:
    def device(number: int, busy: int | None, *processes: Process) -> Device:
        name = f"GPU-{number}"
        return Device(str(number), name, "H200", name, utilisation=busy, processes=processes)

    reading = Reading(
        (
            device(0, 80, Process(11, 1 << 30, root=10), Process(99, 5 << 30)),
            device(1, 40, Process(12, 2 << 30, root=10), Process(13, None, root=10)),
            device(2, 7, Process(21, 1 << 20, root=20)),
        )
    )
    assert on_gpus(Tree("1", 10, False, ("GPU-0", "GPU-1")), reading) == (3 << 30, 60)
    assert on_gpus(Tree("2", 20, False, ("GPU-2",)), reading) == (1 << 20, 7)
    assert on_gpus(Tree("3", 30, False, ("GPU-2",)), reading) == (None, 7)
    assert on_gpus(Tree("3", 30), reading) == (None, None)
    assert on_gpus(Tree("1", 10, False, ("GPU-0",)), Reading(trouble="hangs")) == (None, None)
