"""Without a GPU: the machine is the one device, and its memory the memory."""

from __future__ import annotations

import json
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
    assert shell.ok("hrun", "--min-devices", "2", "1", "echo $CUDA_VISIBLE_DEVICES") == "0,1"
    held = shell.submit("--hold", "1", "--min-devices", "2", "true")
    shell.ok("hupdate", "--slots", "2", held)
    assert asked(shell, held) == ({"cores": 2, "gpus": 2}, 0, 0), "other slots, the same devices"
    shell.ok("hupdate", "--min-devices", "1", held)
    assert asked(shell, held) == ({"cores": 2, "gpus": 1}, 0, 0)
    refused = shell.run("hupdate", "--min-devices", "3", held)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "needs 3 gpus, there are now 2" in refused.stderr
    refused = shell.run("hupdate", "--memory-per-device", "1G", held)
    assert "nobody knows how much these have" in refused.stderr
    assert asked(shell, held) == ({"cores": 2, "gpus": 1}, 0, 0), "what is refused changes nothing"


@pytest.mark.slow
def test_what_waits_can_ask_for_other_devices(shell: Shell) -> None:
    shell.ok("hstart", "2")
    blocker = shell.submit("2", "sleep 1000")
    shell.ok("hsched", "create", "true", "-n", "whole")
    shell.ok("hsched", "create", "true", "-n", "slots", "--slots", "2")
    whole, slots = (shell.ok("hjobs", "--json", f"name:{name}") for name in ("whole", "slots"))
    whole, slots = (json.loads(one)[0]["id"] for one in (whole, slots))
    assert asked(shell, whole) == ({"cores": 1}, 0, 0)
    shell.ok("hsched", "set", "slots.requires_memory_per_device", "1G")
    assert asked(shell, slots) == ({"cores": 2}, 1, 1 << 30), "who asks for slots keeps them"
    refused = shell.run("hsched", "set", "whole.min_devices", "2")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "asks for 2 devices; there is no GPU, so the machine is the one" in refused.stderr
    refused = shell.run("hsched", "set", "whole.requires_memory_per_device", "1000T")
    assert "needs 1000T on 1 device, the machine has " in refused.stderr
    assert asked(shell, whole) == ({"cores": 1}, 0, 0), "what is refused changes nothing"
    for word in ("-1", "1.5", "many", "9" * 20):
        assert shell.run("hsched", "set", "whole.min_devices", word).returncode == 2, word
    shell.ok("hsched", "set", "whole.requires_memory_per_device", "0.25")
    assert shell.wait(whole)["outcome"] == "succeeded", "a share of the machine needs no core"
    share = ("hrun", "--memory-per-device", "0.5")
    assert shell.ok(*share, "0", "echo $HSCHED_JOB_ID; hjobs --json $HSCHED_JOB_ID >view") == "4"
    (view,) = json.loads(shell.written("view"))
    assert (view["min_devices"], view["device_memory_bytes"]) == (1, int(MEMORY * 0.5))
    inside = shell.wait(shell.submit("0", "hrun --min-devices 1 0 true 2>said"))
    assert inside["exit_status"] == 2
    assert "--min-devices means nothing inside job 5" in shell.written("said")
    shell.ok("hkill", blocker)


def asked(shell: Shell, job: str) -> tuple[dict[str, int], int, int]:
    """Return what a job asks for: slots, devices, and bytes on each."""
    view = shell.job(job)
    slots = {name: held["amount"] for name, held in view["request"].items()}
    return slots, view["min_devices"], view["device_memory_bytes"]
