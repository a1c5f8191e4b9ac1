"""A cgroup per job, where asked for: nothing escapes, and the memory is the tree's."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.shell import Shell


def scheduler_cgroup() -> Path:
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    point = next((line.split()[1] for line in mounts if line.split()[2] == "cgroup2"), "/none")
    own = Path("/proc/self/cgroup").read_text().split("0::/")[-1].split("\n")[0]
    return Path(point) / own / "hsched-default"


@pytest.fixture
def grouped(shell: Shell) -> Iterator[Shell]:
    """A scheduler with a cgroup per job."""
    shell.ok("hstart", "--cgroup", "2")
    yield shell
    for folder in [*scheduler_cgroup().glob("*/"), scheduler_cgroup()]:
        if folder.exists():
            (folder / "cgroup.kill").write_text("1")


pytestmark = pytest.mark.skipif(
    not os.access(scheduler_cgroup().parent, os.W_OK), reason="cgroup v2 is not writable here"
)


def test_a_job_has_a_cgroup_of_its_own_until_its_end(grouped: Shell) -> None:
    job = grouped.submit("1", "--out", "seen", "cat /proc/self/cgroup; touch up; sleep 1000")
    grouped.until((grouped.folder / "up").exists, "the job runs")
    assert f"/hsched-default/{job}-1" in (grouped.folder / "seen").read_text()
    grouped.ok("hkill", job)
    assert not (scheduler_cgroup() / f"{job}-1").exists()
    grouped.ok("hstop")
    assert not scheduler_cgroup().exists()


def test_nothing_escapes_even_from_a_killed_shim_after_a_restart(grouped: Shell) -> None:
    line = "env -i setsid -f sleep 3001; touch up; exec env -i sleep 3002"
    job = grouped.submit("1", line)
    grouped.until((grouped.folder / "up").exists, "the job runs")
    shim = grouped.pid(f"hsched-shim {job}$")
    grouped.kill_broker()
    os.kill(shim, signal.SIGKILL)
    assert grouped.wait(job)["outcome"] == "lost"
    assert not grouped.pids("sleep 300[12]")
