"""A job in a cgroup of its own: best effort, and never in the way."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from hsched.native.record import Exited, Left
from tests.shim.harness import Spawner, until


@pytest.fixture
def cgroup() -> Iterator[Path]:
    """A new cgroup v2 folder, where this user may make one."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    for _, place, kind, *_ in mounts:
        folder = Path(place, f"hsched-test-{os.getpid()}")
        if kind == "cgroup2" and os.access(place, os.W_OK):
            folder.mkdir()
            break
    else:
        pytest.skip("no cgroup v2 that can be written")
    yield folder
    if folder.exists():
        folder.rmdir()


def test_the_job_is_in_it_and_the_shim_is_not(shim: Spawner, cgroup: Path) -> None:
    held = shim.start("sh", "-c", "sleep 60 & sleep 60", cgroup=bytes(cgroup))
    held.until_running()
    until(lambda: len(members(cgroup)) == 3, "the whole job")
    assert held.pid not in members(cgroup)
    held.ask(signal.SIGKILL)
    held.wait()
    assert not cgroup.exists(), "the shim removes the folder"


def members(cgroup: Path) -> set[int]:
    return {int(pid) for pid in (cgroup / "cgroup.procs").read_text().split()}


def test_a_chain_of_forks_is_killed_through_it(shim: Spawner, cgroup: Path) -> None:
    code = "import os\nwhile True:\n if os.fork(): os._exit(0)\n os.setsid()"
    argv = (sys.executable, "-I", "-S", "-c", code)
    held = shim.start(*argv, cgroup=bytes(cgroup), grace_ms=0)
    until(lambda: psutil.Process(held.pid).children(), "the chain")
    held.ask(signal.SIGKILL)
    held.wait()
    assert not cgroup.exists()


def test_the_peak_of_the_tree_is_recorded(shim: Spawner, tmp_path: Path) -> None:
    (tmp_path / "group").mkdir()
    (tmp_path / "group/cgroup.procs").touch()
    (tmp_path / "group/memory.peak").write_text("20971520\n")
    record = shim.run("true", cgroup=bytes(tmp_path / "group"))
    assert record.tree_peak_kb == 20480
    assert (tmp_path / "group/cgroup.procs").read_text() == "0"


def test_one_that_is_not_there_changes_nothing(shim: Spawner) -> None:
    record = shim.run("sh", "-c", "sleep 60 & exit 0", cgroup=b"/no/such/folder")
    assert isinstance(record.ending, Exited)
    assert record.ending.usage.left is Left.ENDED
    assert record.tree_peak_kb is None
