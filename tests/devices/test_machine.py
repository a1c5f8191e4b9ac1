"""Without a GPU: the machine is the one device, and its memory the memory."""

from __future__ import annotations

import os

import pytest

from tests.e2e.shell import Shell

MEMORY = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
def test_jobs_share_the_memory_of_a_machine_without_gpus(shell: Shell) -> None:
    shell.ok("hstart", "4")
    refused = shell.run("hsubmit", "1", "--min-devices", "2", "--memory-per-device", "1G", "true")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "needs 1G on 2 devices, there is 1, the machine" in refused.stderr
    refused = shell.run("hsubmit", "1", "--memory-per-device", "1000T", "true")
    assert "needs 1000T on 1 device, the machine has " in refused.stderr
    share = ("--memory-per-device", "0.6")
    first = shell.submit("1", *share, "sleep", "1000")
    second = shell.submit("1", *share, "sh", "-c", "echo ${QUEUE0-}:${QUEUE1-} > seen")
    (view,) = shell.jobs(second)
    assert (view["min_devices"], view["device_memory_bytes"]) == (1, int(MEMORY * 0.6))
    assert view["reason"].startswith("slots: needs ")
    assert "on 1 device; the machine has " in view["reason"]
    shell.kill_broker()
    assert shell.job(second)["state"] == "pending", "the claim is known after a crash"
    assert shell.job(first)["devices"] == []
    shell.ok("hkill", first)
    assert shell.wait(second)["outcome"] == "succeeded"
    assert shell.written("seen") == "0:\n"
    again = shell.job(shell.ok("hrerun", second))
    assert (again["min_devices"], again["device_memory_bytes"]) == (1, int(MEMORY * 0.6))


@pytest.mark.slow
def test_gpus_of_which_nobody_knows_the_memory_are_whole(shell: Shell) -> None:
    shell.ok("hstart", "4,2")
    refused = shell.run("hsubmit", "1", "--memory-per-device", "1G", "true")
    assert "nobody knows how much these have" in refused.stderr
    line = "echo $CUDA_VISIBLE_DEVICES > seen"
    assert shell.wait(shell.submit("1", "--min-devices", "2", line))["devices"] == [0, 1]
    assert shell.written("seen") == "0,1\n"
    held = shell.submit("--hold", "1", "--min-devices", "2", "true")
    refused = shell.run("hupdate", "--slots", "2", held)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "asks for 2 devices besides its slots" in refused.stderr
