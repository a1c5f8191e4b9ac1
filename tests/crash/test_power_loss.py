"""Power loss: after another boot, what had been started is lost and said so, the rest goes on."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3

from tests.e2e.shell import Shell


def lose_power(shell: Shell) -> None:
    """Kill everything at once, and let the store be of another boot than this one."""
    while left := shell.processes():
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    with sqlite3.connect(shell.state / "default/hsched.db") as db:
        db.execute("UPDATE run SET boot_id = 'the boot before'")
    db.close()


def test_what_was_started_is_lost_and_what_was_not_goes_on(sched: Shell) -> None:
    running = sched.submit("6", "echo once >> log; sleep 1000")
    waiting = sched.submit("6", "--dep", f"afternotok:{running}", "echo then >> log")
    doomed = sched.submit("1", "--dep", f"afterok:{running}", "echo never >> log")
    sched.until(lambda: (sched.folder / "log").exists(), "the job runs")
    lose_power(sched)
    lost = sched.job(running)
    assert (lost["outcome"], lost["reason"]) == ("lost", "reboot")
    assert sched.wait(waiting)["outcome"] == "succeeded"
    assert sched.wait(doomed)["outcome"] == "dependency failed"
    assert (sched.folder / "log").read_text().split() == ["once", "then"]


def test_a_job_that_asked_for_it_is_started_again(sched: Shell) -> None:
    line = "echo $HSCHED_ATTEMPT >> log; [ $HSCHED_ATTEMPT = 2 ] || sleep 1000"
    job = sched.submit("1", "--requeue", line)
    sched.until(lambda: (sched.folder / "log").exists(), "the job runs")
    lose_power(sched)
    ended = sched.wait(job)
    assert (ended["outcome"], ended["attempt"]) == ("succeeded", 2)
    assert (sched.folder / "log").read_text().split() == ["1", "2"]


def test_a_job_that_ended_before_the_power_went_has_its_status(sched: Shell) -> None:
    job = sched.submit("1", "while [ ! -e go ]; do sleep 0.02; done; exit 7")
    sched.until(lambda: sched.job(job)["state"] == "running", "the job runs")
    sched.kill_broker()
    (sched.folder / "go").touch()
    sched.until(lambda: not sched.pids(f"hsched-shim {job}$"), "it ended")
    lose_power(sched)
    assert sched.wait(job)["exit_status"] == 7


def test_what_was_being_cancelled_stays_cancelled(sched: Shell) -> None:
    job = sched.submit("1", "--requeue", "--grace", "600", "trap '' TERM; touch up; sleep 1000")
    sched.until((sched.folder / "up").exists, "the job runs")
    sched.sh(f"hkill {job} >killed 2>&1 &")
    sched.until(lambda: sched.job(job)["state"] == "stopping", "it was told to end")
    lose_power(sched)
    assert sched.wait(job)["outcome"] == "cancelled"


def test_an_old_record_under_a_new_name_tells_nothing(sched: Shell) -> None:
    """A loss of power may keep a file's new name and its old content."""
    job = sched.submit("1", "touch up; sleep 1000")
    sched.until((sched.folder / "up").exists, "the job runs")
    lose_power(sched)
    (record,) = sched.state.glob(f"default/*/*/records/{job}-*")
    content = bytearray(record.read_bytes())
    content[192:448] = b"exited 0 1 1 1000000 0\n".ljust(256, b"\0")
    record.write_bytes(content)
    assert sched.wait(job)["outcome"] == "lost"
