"""Files removed under a live broker: it makes them anew, and stays the only one."""

from __future__ import annotations

import shutil

import pytest

from tests.e2e.shell import Shell


@pytest.mark.parametrize("name", ["socket", "address", "lock", "hsched.db"])
def test_a_removed_file_comes_back(sched: Shell, name: str) -> None:
    file = sched.state / "default" / name
    pid = sched.broker_pid()
    sched.submit("6", "sleep", "1000")
    sched.submit("1", "true")
    file.unlink()
    sched.until(file.exists, f"{name} is back")
    assert sched.broker_pid() == pid
    assert [job["state"] for job in sched.jobs()] == ["running", "pending"]
    again = sched.run("hstart", "6,2,32")
    assert (again.returncode, "already running" in again.stderr) == (1, True)
    sched.kill_broker()
    assert [job["state"] for job in sched.jobs()] == ["running", "pending"]


def test_the_whole_folder_comes_back(sched: Shell) -> None:
    folder = sched.state / "default"
    pid = sched.broker_pid()
    running = sched.submit("6", "touch up; exec sleep 1000")
    sched.until((sched.folder / "up").exists, "it has opened its files")
    shutil.rmtree(folder, ignore_errors=True)
    sched.until((folder / "address").exists, "the folder is back")
    sched.until(lambda: not sched.run("hnslots").returncode, "the broker answers")
    assert sched.broker_pid() == pid
    assert sched.jobs()[0]["id"] == running
    assert sched.run("hstart", "6,2,32").returncode == 1
