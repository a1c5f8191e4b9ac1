"""A full disk, no descriptors, no processes: refused with the reason, nothing lost."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.shell import Shell


@pytest.fixture
def small_disk(shell: Shell) -> Iterator[Path]:
    """A file system of 4 MB that the schedulers live on."""
    point = shell.home / "small"
    point.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", point], check=True)
    shell.env["HSCHED_HOME"] = str(point)
    try:
        yield point
    finally:
        with contextlib.suppress(OSError):
            (point / "filler").unlink()
        for pid in shell.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
        subprocess.run(["umount", "-l", point], check=True)


def fill(disk: Path) -> None:
    """Write until there is no room for another byte."""
    with open(disk / "filler", "ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)


def test_a_full_disk_refuses_jobs_and_loses_none(shell: Shell, small_disk: Path) -> None:
    shell.ok("hstart", "1")
    line = "while [ ! -e go ]; do sleep 0.02; done; exit 7"
    running = shell.submit("1", "--out", "/dev/null", "--err", "/dev/null", line)
    waiting = shell.submit("1", "--out", "/dev/null", "--err", "/dev/null", "true")
    fill(small_disk)
    refused = shell.run("hsubmit", "1", "x" * 100_000)
    assert refused.returncode == 1
    assert "cannot be written" in refused.stderr
    assert "nothing was done" in refused.stderr
    assert [job["id"] for job in shell.jobs()] == [running, waiting], "it still answers"
    (shell.folder / "go").touch()
    shell.until(lambda: not shell.pids(f"hsched-shim {running}$"), "it ended")
    (small_disk / "filler").unlink()
    assert shell.wait(running)["exit_status"] == 7
    assert shell.wait(waiting)["outcome"] == "succeeded"
    assert shell.submit("1", "--out", "/dev/null", "--err", "/dev/null", "true") == "3"


def test_jobs_wait_for_descriptors_instead_of_failing(shell: Shell) -> None:
    shell.sh("ulimit -n 40; hstart 1")
    line = "while [ ! -e go ]; do sleep 0.05; done"
    ids = shell.sh(f"for i in $(seq 40); do hsubmit 0 '{line}'; done").split()
    states = shell.until(
        lambda: {job["state"] for job in shell.jobs()} == {"running", "pending"}, "some wait"
    )
    assert states
    (shell.folder / "go").touch()
    assert {shell.wait(one)["outcome"] for one in ids} == {"succeeded"}
