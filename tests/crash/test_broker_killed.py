"""`kill -9` of the broker: jobs run on, and the next command brings it back."""

from __future__ import annotations

import os
import signal
import subprocess
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.shell import Shell


@pytest.mark.parametrize(
    "command",
    [
        ["hjobs"],
        ["hstatus", "-n", "default"],
        ["hnslots"],
        ["hsubmit", "0", "true"],
        ["hkill", "2"],
        ["hstart"],
    ],
    ids=lambda words: words[0],
)
def test_the_next_command_of_any_kind_brings_it_back(sched: Shell, command: list[str]) -> None:
    sched.submit("6", "sleep", "1000")
    sched.submit("6", "sleep", "1000")
    before = [(job["id"], job["state"], job["started_at"]) for job in sched.jobs()]
    sched.kill_broker()
    done = sched.run(*command, check=True)
    if command != ["hstart"]:
        assert "is back" in done.stderr
    if command[0] not in ("hsubmit", "hkill"):
        assert [(job["id"], job["state"], job["started_at"]) for job in sched.jobs()] == before
    assert sched.ok("hnslots") == "6,2,32"


def test_a_job_that_ended_meanwhile_has_its_true_exit_status(sched: Shell) -> None:
    job = sched.submit("1", "while [ ! -e go ]; do sleep 0.01; done; echo ran >> log; exit 7")
    sched.until(lambda: sched.job(job)["state"] == "running", "the job runs")
    sched.kill_broker()
    (sched.folder / "go").touch()
    sched.until(lambda: not sched.pids(f"hsched-shim {job}$"), "it ended")
    ended = sched.wait(job)
    assert (ended["outcome"], ended["exit_status"]) == ("failed", 7)
    assert (sched.folder / "log").read_text() == "ran\n"


def test_a_dependant_of_a_job_that_ended_meanwhile_runs(sched: Shell) -> None:
    first = sched.submit("1", "while [ ! -e go ]; do sleep 0.01; done")
    second = sched.submit("1", "--dep", f"afterok:{first}", "true")
    sched.kill_broker()
    (sched.folder / "go").touch()
    assert sched.wait(second)["outcome"] == "succeeded"


def test_hstart_with_other_totals_takes_those(sched: Shell) -> None:
    sched.submit("6", "sleep", "1000")
    wide = sched.submit("6", "true")
    sched.kill_broker()
    assert "nslots = 2,2,32" in sched.ok("hstart", "2,2,32")
    assert sched.job("1")["state"] == "running"
    assert "6 cores" in sched.job(wide)["reason"]


def test_a_broker_killed_again_and_again_loses_nothing(sched: Shell) -> None:
    each, rounds = 20, 10
    ids = []
    for _ in range(rounds):
        ids += sched.sh(f"seq {each} | hsubmit 1 --each - sh -c 'echo x >> log' {{}}").split()
        sched.kill_broker()
    assert ids == [str(number) for number in range(1, each * rounds + 1)]
    sched.ok("hwait", f"1-{ids[-1]}")
    assert [job["outcome"] for job in sched.jobs("--all")] == ["succeeded"] * len(ids)
    assert len((sched.folder / "log").read_text().split()) == len(ids)


def test_a_killed_shim_loses_its_job_and_nothing_else(sched: Shell) -> None:
    other = sched.submit("1", "sleep", "1000")
    job = sched.submit(
        "1", "setsid -f sleep 1006; env -i setsid -f sleep 1007; touch up; sleep 1008"
    )
    sched.until((sched.folder / "up").exists, "the job runs")
    shim = sched.pid(f"hsched-shim {job}$")
    os.kill(shim, signal.SIGKILL)
    ended = sched.wait(job)
    assert ended["outcome"] == "lost"
    assert not sched.pids("sleep 100[678]")
    assert sched.ok("hnslots", "free") == "5,2,32"
    assert sched.job(other)["state"] == "running"


def test_a_shim_killed_while_no_broker_lived_is_noticed(sched: Shell) -> None:
    job = sched.submit("1", "sleep", "1009")
    sched.until(lambda: sched.pids("^sleep 1009"), "the job runs")
    sched.kill_broker()
    os.kill(sched.pid(f"hsched-shim {job}$"), signal.SIGKILL)
    assert sched.wait(job)["outcome"] == "lost"
    assert not sched.pids("sleep 1009")


def test_a_pid_that_was_given_to_somebody_else_fools_nobody(sched: Shell) -> None:
    job, impostor = _job_whose_shim_gave_its_pid_away(sched)
    try:
        assert sched.wait(job)["outcome"] == "lost"
        assert Path(f"/proc/{impostor}/stat").read_text().split()[2] != "Z", "it was left alone"
    finally:
        os.kill(impostor, signal.SIGKILL)
        os.waitpid(impostor, 0)


def _job_whose_shim_gave_its_pid_away(sched: Shell) -> tuple[str, int]:
    """Return a job whose shim died unseen, and the process of ours that has the shim's pid now.

    Another process of the machine may be quicker and keep the pid for long: then
    the next job has its turn.
    """
    pids = []
    for _ in range(20):
        job = sched.submit("1", "sleep", "1010")
        sched.until(lambda: sched.pids("^sleep 1010"), "the job runs")
        shim = sched.pid(f"hsched-shim {job}$")
        sched.kill_broker()
        os.kill(shim, signal.SIGKILL)
        sched.until(partial(_is_reaped, shim), "the shim is gone and reaped")
        if impostor := _process_with_pid(shim):
            return job, impostor
        pids.append(shim)
        assert sched.wait(job)["outcome"] == "lost"
    raise AssertionError(f"no process got any of the pids {pids}")


def _is_reaped(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def _process_with_pid(pid: int) -> int | None:
    """Start a process that gets ``pid``; the kernel lets root say which is next."""
    for _ in range(50):
        Path("/proc/sys/kernel/ns_last_pid").write_text(str(pid - 1))
        child = os.posix_spawn("/bin/sleep", ["sleep", "1000"], {})
        if child == pid:
            return child
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return None


def test_a_killed_nursery_costs_no_job(sched: Shell) -> None:
    ids = [sched.submit("1", "echo x >> log") for _ in range(3)]
    for _ in range(5):
        os.kill(sched.pid("hsched-shim --nursery"), signal.SIGKILL)
        ids.append(sched.submit("1", "echo x >> log"))
        assert sched.wait(ids[-1])["outcome"] == "succeeded"
    assert [job["outcome"] for job in sched.jobs("--all")] == ["succeeded"] * len(ids)
    assert len((sched.folder / "log").read_text().split()) == len(ids)


def test_a_killed_shim_costs_no_job_of_another_state_folder(sched: Shell) -> None:
    """Whose run and job are called the same, because both began in the same second."""
    job = sched.submit("1", "touch up; sleep 1000")
    sched.until((sched.folder / "up").exists, "the job runs")
    (folder,) = sched.state.glob("default/*/*/records")
    other = subprocess.Popen(
        ["sleep", "1000"],
        env={
            "HSCHED_JOB_ID": job,
            "HSCHED_RUN_ID": "/".join(folder.parent.parts[-2:]),
            "HSCHED_NAME": "default",
            "HSCHED_RUN_DIR": f"{sched.home}/elsewhere",
        },
    )
    os.kill(sched.pid(f"hsched-shim {job}$"), signal.SIGKILL)
    assert sched.wait(job)["outcome"] == "lost"
    assert other.poll() is None
    other.kill()
    other.wait()
