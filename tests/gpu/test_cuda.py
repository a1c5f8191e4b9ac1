"""On a real GPU: CUDA work is pinned by slot, and what an outsider uses is respected."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hsched.devices.ask import read_once
from hsched.devices.reading import Device
from tests.e2e.conftest import shell
from tests.e2e.shell import Shell

__all__ = ["shell"]

CUDA = (sys.executable, str(Path(__file__).with_name("cuda.py")))

#: MiB that the outsider holds; a GPU on which less is used is idle.
HELD = 2048
IDLE = 1024 << 20


@pytest.fixture(scope="module")
def gpu() -> Device:
    """An idle GPU that is no slice."""
    for device in read_once().devices:
        is_large = (device.total or 0) > 4 * HELD << 20
        if device.number.isdigit() and is_large and (device.used or 0) < IDLE:
            return device
    pytest.skip("there is no idle NVIDIA GPU")


@pytest.fixture
def lab(shell: Shell, gpu: Device) -> Shell:
    """A terminal with a scheduler of four cores and that GPU."""
    shell.ok("hstart", "4,1", env={"CUDA_VISIBLE_DEVICES": gpu.uuid})
    return shell


@contextmanager
def outsider() -> Iterator[int]:
    """Let a process that is no job hold memory of the GPU, and yield its pid."""
    with subprocess.Popen(
        [*CUDA, str(HELD)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline().startswith("GPU-")
        yield process.pid
        process.stdin.close()


def listed(lab: Shell, gpu: Device) -> dict[str, Any]:
    """Return the GPU as ``hsched gpus`` tells of it."""
    found = json.loads(lab.ok("hsched", "gpus", "--json"))["gpus"]
    return next(one for one in found if one["uuid"] == gpu.uuid)


def test_a_job_sees_the_gpu_of_its_slot_and_no_other(lab: Shell, gpu: Device) -> None:
    job = lab.submit("0,1", "--out", "seen", *CUDA, "64")
    assert lab.wait(job)["outcome"] == "succeeded", lab.ok("hlog", "--err", job)
    assert lab.written("seen") == f"{gpu.uuid}\n"
    job = lab.submit("0", "--memory-per-device", "0.25", "--out", "shared", *CUDA, "64")
    assert lab.wait(job)["outcome"] == "succeeded"
    assert lab.written("shared") == f"{gpu.uuid}\n"


def test_a_job_without_a_gpu_sees_none(lab: Shell) -> None:
    job = lab.wait(lab.submit("1", "--err", "said", *CUDA, "64"))
    assert (job["outcome"], lab.written("said")) == ("failed", "cuInit: CUDA error 100\n")


def test_memory_of_an_outsider_is_respected(
    lab: Shell, gpu: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", gpu.uuid)
    assert gpu.total is not None
    most = f"{(gpu.total >> 20) - HELD // 2}M"
    with outsider():
        whole = lab.submit("0,1", "true")
        wide = lab.submit("0", "--memory-per-device", most, "true")
        narrow = lab.submit("0", "--memory-per-device", "1G", "true")
        assert lab.wait(narrow)["outcome"] == "succeeded"
        lab.until(lambda: _is_unavailable(lab, whole), "the whole GPU is not to be had")
        lab.until(lambda: _is_unavailable(lab, wide), "nor is most of it")
    assert [lab.wait(job)["outcome"] for job in (whole, wide)] == ["succeeded"] * 2


def _is_unavailable(lab: Shell, job: str) -> bool:
    return str(lab.job(job)["reason"]).startswith("unavailable: ")


def test_what_a_job_uses_is_within_its_claim(lab: Shell, gpu: Device) -> None:
    half = ("--memory-per-device", "0.5")
    first = lab.submit("0", *half, "--out", "first", *CUDA, str(HELD), "forever")
    assert lab.written("first") == f"{gpu.uuid}\n"
    second = lab.submit("0", *half, "true")
    assert lab.wait(second)["outcome"] == "succeeded", "the memory of the first is no outsider's"
    assert first in listed(lab, gpu)["jobs"]
    lab.ok("hkill", first)
