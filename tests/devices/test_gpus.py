"""Jobs on GPUs, real commands and a real broker, with an NVML that tells what the test says."""

from __future__ import annotations

import json
import os
import pwd
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.devices.fake import Fake
from tests.e2e.painted import Painted
from tests.e2e.shell import Shell, is_alive

pytestmark = pytest.mark.slow

A, B = "gpu GPU-aaaa 24576 util=40", "gpu GPU-bbbb 24576"
SHARE = ("--memory-per-device", "20G")


def line(process: int, memory: int) -> str:
    """Return a process of the fake."""
    return f"compute {process} {memory}"


def gpus(lab: Shell) -> list[dict[str, Any]]:
    """Return what ``hsched gpus --json`` lists."""
    return list(json.loads(lab.ok("hsched", "gpus", "--json"))["gpus"])


def reason(lab: Shell, job: str) -> str:
    """Return why a job waits."""
    return str(lab.job(job)["reason"])


def waits(lab: Shell, job: str, why: str) -> None:
    """Wait until a job waits for that reason."""
    lab.until(lambda: re.search(why, reason(lab, job) or ""), f"job {job} waits: {why}")


def starts(lab: Shell, job: str) -> dict[str, Any]:
    """Wait until a job runs, and return it."""

    def running() -> dict[str, Any] | None:
        found = lab.job(job)
        return found if found["state"] == "running" else None

    found: dict[str, Any] = lab.until(running, f"job {job} runs")
    return found


def test_auto_finds_cores_gpus_and_memory(lab: Shell, nvml: Fake) -> None:
    nvml.tell(A, B)
    told = lab.ok("hstart", "auto")
    cores = len(os.sched_getaffinity(0))
    assert re.fullmatch(rf"started default scheduler with nslots = {cores},2,\d+[GM]", told)
    again = lab.run("hstart", "auto")
    assert "the number of slots is the same" in again.stderr


def test_jobs_share_gpus_and_whole_ones_are_alone(lab: Shell, nvml: Fake) -> None:
    nvml.tell(A, B)
    lab.ok("hstart", "8,2")
    shared = [lab.submit("1", "--memory-per-device", "0.4", "sleep 1000") for _ in range(2)]
    whole = lab.submit("1,1", "echo $QUEUE1 $CUDA_VISIBLE_DEVICES > whole; sleep 1000")
    assert [starts(lab, job)["devices"] for job in shared] == [[0], [0]]
    assert starts(lab, whole)["devices"] == [1]
    assert lab.written("whole") == "1 1\n"
    wide = lab.submit("1", "--min-devices", "2", *SHARE, "echo $CUDA_VISIBLE_DEVICES > wide")
    assert "gpus:1 is held as a whole" in reason(lab, wide)
    listed = {gpu["slot"]: gpu for gpu in gpus(lab)}
    assert (listed[0]["memory.claimed"], listed[0]["jobs"]) == (2 * int(24576 * 0.4), shared)
    assert (listed[1]["memory.claimed"], listed[1]["whole"]) == (24576, True)
    (row,) = lab.ok("hjobs", shared[0]).splitlines()[1:]
    assert row.split()[2].startswith("1,0+1x")
    lab.ok("hkill", *shared, whole)
    assert lab.wait(wide)["outcome"] == "succeeded"
    assert lab.written("wide") == "0,1\n"
    refused = lab.run("hsubmit", "1", "--memory-per-device", "25000", "true")
    assert "needs 25000M on 1 gpus, so many have at the most 24G" in refused.stderr


def test_what_outsiders_use_is_theirs_until_they_go(lab: Shell, nvml: Fake) -> None:
    nvml.tell(A, line(os.getpid(), 8192))
    lab.ok("hstart", "8,1")
    whole, share = lab.submit("1,1", "true"), lab.submit("1", *SHARE, "true")
    fits = lab.submit("1", "--memory-per-device", "16G", "sleep 1000")
    assert starts(lab, fits)["devices"] == [0]
    lab.ok("hkill", fits)
    waits(lab, whole, rf"unavailable: needs 1 gpus, 0 of 1 can be had \(gpus:0: pid {os.getpid()} ")
    waits(lab, share, r"unavailable: needs 20G on 1 gpus; gpus:0 has 16G left, others 8G")
    (gpu,) = gpus(lab)
    assert [(one["pid"], one["job"]) for one in gpu["processes"]] == [(os.getpid(), None)]
    assert gpu["processes"][0]["username"]
    nvml.tell(A)
    assert [lab.wait(job)["outcome"] for job in (whole, share)] == ["succeeded"] * 2


def test_gpus_are_listed_without_a_scheduler(lab: Shell, nvml: Fake) -> None:
    assert lab.ok("hsched", "gpus") == "no GPUs found"
    nvml.tell(A, line(os.getpid(), 1000))
    head, row = (one.split() for one in lab.ok("hsched", "gpus").splitlines())
    assert head[0] == "GPU"
    user = pwd.getpwuid(os.getuid()).pw_name
    who = rf"{user}:\S+/{os.getpid()}\(1000M\)"
    cells = r"0 GPU-aaaa Fake\\x2024576 40 40 1000 23576 24576 0 "
    assert re.fullmatch(cells + who, " ".join(row))
    refused = lab.run("hsched", "gpus", "-n", "lab")
    assert (refused.returncode, refused.stdout) == (1, "")


def shows(seen: Painted, *cells: str) -> None:
    """Wait until there is a line on the screen with these words."""
    wanted = list(cells)
    seen.until(lambda: wanted in [one.split() for one in seen.text.splitlines()], f"{cells}")


def test_gpus_are_watched_with_what_jobs_hold_of_them(lab: Shell, nvml: Fake) -> None:
    lab.env["HSCHED_NVML_TIMEOUT"] = "0.5"
    nvml.tell(A)
    fields = "gpu,used,claimed,jobs"
    with Painted(lab, "hsched", "gpus", "--watch", "--interval", "0.2", "-o", fields) as seen:
        shows(seen, "0", "0", "0", "-")
        nvml.tell(A, line(os.getpid(), 1000))
        shows(seen, "0", "1000", "0", "-")
        lab.ok("hstart", "8,1")
        job = lab.submit("1", "--memory-per-device", "2G", "sleep 1000")
        shows(seen, "0", "1000", "2048", job)
        nvml.tell(A, "hangs MemoryInfo")
        seen.sees("hsched gpus: NVML did not answer within 0.5 s; who", absent=("CLAIMED",))
        nvml.tell(A)
        shows(seen, "0", "0", "2048", job)
        lab.ok("hstop", "--force")
        shows(seen, "0", "0", "0", "-")
        seen.type("\x03")
        assert seen.ends() in (-signal.SIGINT, 130)


def test_claims_are_told_at_once_and_a_named_scheduler_must_run(lab: Shell, nvml: Fake) -> None:
    nvml.tell(A)
    lab.ok("hstart", "8,1")
    command = ("hsched", "gpus", "--watch", "--interval", "9999", "-n", "default")
    with Painted(lab, *command, "-o", "gpu,jobs", size=(40, 5)) as seen:
        shows(seen, "0", "-")
        job = lab.submit("1", "--memory-per-device", "2G", "sleep 1000")
        shows(seen, "0", job)
        lab.ok("hstop", "--force")
        seen.sees("hsched gpus: ", "not running")
        assert seen.ends() == 1


def test_outsiders_can_be_ignored(lab: Shell, nvml: Fake) -> None:
    nvml.tell(A, line(os.getpid(), 24000))
    lab.ok("hstart", "--ignore-outsiders", "8,1")
    assert lab.wait(lab.submit("1,1", "true"))["outcome"] == "succeeded"
    assert lab.wait(lab.submit("1", *SHARE, "true"))["outcome"] == "succeeded"


def test_what_jobs_use_themselves_is_within_their_claims(lab: Shell, nvml: Fake) -> None:
    nvml.tell(A)
    lab.ok("hstart", "8,1")
    half = ("--memory-per-device", "12G")
    first = lab.submit("1", *half, "sh", "-c", "echo $$ > pid; exec sleep 1000")
    pid = int(lab.written("pid"))
    nvml.tell(A, line(pid, 11_000))
    second = lab.submit("1", *half, "sleep 1000")
    assert starts(lab, second)["devices"] == [0]
    (gpu,) = gpus(lab)
    assert [one["job"] for one in gpu["processes"]] == [first]
    assert f" {first}:sleep/{pid}(11000M) {second}" in lab.ok("hsched", "gpus")
    lab.ok("hkill", first, second)


def test_a_gpu_that_disappears_drains_its_slot(lab: Shell, nvml: Fake) -> None:
    nvml.tell(A, B)
    lab.ok("hstart", "8,2")
    nvml.tell("gpu GPU-aaaa 24576 lost", B)
    first = lab.submit("1,1", "sleep 1000")
    assert starts(lab, first)["devices"] == [1]
    second = lab.submit("1,1", "echo $CUDA_VISIBLE_DEVICES > seen")
    assert "gpus:0 (GPU-aaaa) is gone: drained" in (lab.state / "default/broker.log").read_text()
    assert any(gpu["drained"] and gpu["index"] is None for gpu in gpus(lab))
    lab.kill_broker()
    assert lab.job(second)["state"] == "pending", "it is drained after a crash as well"
    nvml.tell(B, A)  # it has come back, and is counted last
    assert lab.wait(second)["devices"] == [0], "a slot is a GPU, not a number"
    assert lab.written("seen") == "1\n"
    lab.ok("hkill", first)


def test_a_driver_that_hangs_costs_jobs_with_gpus_alone(lab: Shell, nvml: Fake) -> None:
    lab.env["HSCHED_NVML_TIMEOUT"] = "0.5"
    nvml.tell(A)
    lab.ok("hstart", "8,1")
    nvml.tell(A, "hangs MemoryInfo")
    stuck = lab.submit("1,1", "true")
    assert lab.wait(lab.submit("1", "true"))["outcome"] == "succeeded"
    waits(lab, stuck, r"unavailable: .*NVML did not answer within 0\.5 s")
    failed = lab.run("hsched", "gpus")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "NVML did not answer within 0.5 s" in failed.stderr
    nvml.tell(A)
    assert lab.wait(stuck)["outcome"] == "succeeded"
    broker = lab.broker_pid()
    lab.ok("hstop")
    lab.until(lambda: not is_alive(broker), "the broker has ended")
    lab.until(lambda: not lab.processes(), "no helper is left")


def test_a_job_that_waited_for_nvml_runs_once_after_a_crash(lab: Shell, nvml: Fake) -> None:
    lab.env["HSCHED_NVML_TIMEOUT"] = "60"
    nvml.tell(A)
    lab.ok("hstart", "8,1")
    nvml.tell(A, "hangs MemoryInfo")
    job = lab.submit("0,1", "echo once >> seen")
    lab.until(lambda: lab.job(job)["state"] == "starting", "NVML is asked")
    helpers = [pid for pid in lab.processes() if b"helper" in _arguments(pid)]
    lab.kill_broker()
    lab.until(lambda: not any(map(is_alive, helpers)), "the helper has ended with its broker")
    nvml.tell(A)
    done = lab.wait(job)
    assert (done["outcome"], done["attempt"], lab.written("seen")) == ("succeeded", 1, "once\n")


def test_the_helper_may_be_killed(lab: Shell, nvml: Fake) -> None:
    nvml.tell(A)
    lab.ok("hstart", "8,1")
    lab.wait(lab.submit("0,1", "true"))
    (helper,) = [pid for pid in lab.processes() if b"helper" in _arguments(pid)]
    os.kill(helper, signal.SIGKILL)
    assert lab.wait(lab.submit("0,1", "true"))["outcome"] == "succeeded"


def _arguments(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def test_values_that_nvml_does_not_tell_are_done_without(lab: Shell, nvml: Fake) -> None:
    nvml.tell(f"{A} refuses=MemoryInfo,ComputeRunningProcesses,Temperature")
    lab.ok("hstart", "8,1")
    assert lab.wait(lab.submit("0,1", "true"))["outcome"] == "succeeded"
    refused = lab.run("hsubmit", "0", *SHARE, "true")
    assert "nobody knows how much these have" in refused.stderr
    (listed,) = lab.ok("hsched", "gpus").splitlines()[1:]
    assert listed.split() == ["0", "GPU-aaaa", "Fake\\x2024576", "?", "40", "?", "?", "?", "0", "-"]


def test_a_driver_that_is_not_loaded_is_a_warning(lab: Shell, nvml: Fake) -> None:
    nvml.tell("fails Init 9")
    started = lab.run("hstart", "8,1", check=True)
    assert "hstart: warning: NVML: " in started.stderr
    assert lab.wait(lab.submit("0,1", "true"))["outcome"] == "succeeded"


def test_more_gpus_than_nvml_sees_are_a_warning(lab: Shell, nvml: Fake) -> None:
    nvml.tell(A)
    started = lab.run("hstart", "8,2", check=True)
    assert started.stderr == (
        "hstart: warning: 2 gpus were asked for, and NVML sees 1 gpu; "
        "the slots from gpus:1 on are numbers without a device\n"
    )
    line = "echo $CUDA_VISIBLE_DEVICES > seen"
    assert lab.wait(lab.submit("0,2", line))["devices"] == [0, 1]
    assert lab.written("seen") == "0,1\n"


def test_slots_are_the_gpus_that_hstart_itself_sees(lab: Shell, nvml: Fake) -> None:
    nvml.tell(*(f"gpu GPU-{letter}{letter} 24576" for letter in "abcd"))
    lab.ok("hstart", "auto", env={"CUDA_VISIBLE_DEVICES": "3,GPU-bb"})
    job = lab.submit("0,2", "echo $QUEUE1 $CUDA_VISIBLE_DEVICES $CUDA_DEVICE_ORDER > seen")
    lab.wait(job)
    assert lab.written("seen") == "0,1 3,1 PCI_BUS_ID\n"
    slots = {gpu["uuid"]: gpu["slot"] for gpu in gpus(lab)}
    assert slots == {"GPU-aa": None, "GPU-bb": 1, "GPU-cc": None, "GPU-dd": 0}


def test_mig_slices_are_slots(lab: Shell, nvml: Fake) -> None:
    nvml.tell("gpu GPU-a 100 mig", "slice MIG-x 40960", "slice MIG-y 20480")
    lab.ok("hstart", "8,2")
    lab.wait(lab.submit("0,1", "echo $CUDA_VISIBLE_DEVICES > whole"))
    assert lab.written("whole") == "MIG-x\n"
    lab.wait(lab.submit("0", "--memory-per-device", "20G", "echo $CUDA_VISIBLE_DEVICES > share"))
    assert lab.written("share") == "MIG-y\n"


def test_history_tells_what_a_job_did_with_its_gpus(lab: Shell, nvml: Fake) -> None:
    nvml.tell(A, B)
    lab.ok("hstart", "8,2")
    job = lab.submit("0,2", "sh", "-c", "echo $$ > pid; exec sleep 1000")
    nvml.tell(A, line(int(lab.written("pid")), 3000), B)
    lab.until(lambda: lab.job(job)["peak_device_memory_bytes"], "a sample was taken")
    lab.ok("hkill", job)
    done = lab.job(job)
    assert done["peak_device_memory_bytes"] == 3000 << 20
    assert done["mean_device_utilisation"] == 20.0
    assert done["untouched_devices"] == [1]
    assert done["reason"].endswith("never used gpus:1, which it held")


def test_an_adopted_process_has_the_gpu_that_it_uses(lab: Shell, nvml: Fake) -> None:
    nvml.tell(A)
    lab.ok("hstart", "8,1")
    pid = int(lab.sh("sleep 1000 > /dev/null 2>&1 & echo $!"))
    nvml.tell(A, line(pid, 8192))
    waiting = lab.submit("0,1", "true")
    waits(lab, waiting, f"unavailable: .* pid {pid} ")
    job = lab.ok("hadopt", str(pid), "0,1")
    assert [one["job"] for one in gpus(lab)[0]["processes"]] == [job]
    nvml.tell(A)
    lab.ok("hkill", job)
    assert lab.wait(waiting)["outcome"] == "succeeded"
