"""Control over slots and over the whole scheduler: totals, drained slots, drained queues."""

from __future__ import annotations

import os
import signal

import pytest

from tests.e2e.shell import Shell, is_alive

WAIT = "while [ ! -e go ]; do sleep 0.01; done"


def running(shell: Shell, *words: str) -> str:
    job = shell.submit(*words)
    shell.until(lambda: shell.job(job)["state"] == "running", f"job {job} runs")
    return job


@pytest.mark.parametrize("crashes", [False, True])
def test_totals_go_down_to_nothing_while_jobs_run(sched: Shell, crashes: bool) -> None:
    job = running(sched, "4,1", WAIT)
    waits = sched.submit("3,1", "true")
    sched.ok("hnslots", "set", "0,gpus=1")
    if crashes:
        sched.kill_broker()
    assert sched.ok("hnslots") == "0,1,32"
    assert sched.ok("hnslots", "used") == "4,1,0"
    assert sched.ok("hnslots", "free") == "0,0,32"
    assert "needs 3 cores, there are now 0" in sched.job(waits)["reason"]
    assert sched.job(job)["state"] == "running"
    (sched.folder / "go").touch()
    sched.wait(job)
    assert sched.ok("hnslots", "used") == "0,0,0"
    sched.ok("hnslots", "set", "8,2,32")
    assert sched.ok("hnslots", "free") == "8,2,32"
    sched.ok("hrelease", waits)
    sched.wait(waits)


@pytest.mark.parametrize("spec", ["", "x", "-1", "1,2,3,4", "disks=1", "6G", "cores=1,cores=2"])
def test_totals_that_make_no_sense_change_nothing(sched: Shell, spec: str) -> None:
    assert sched.run("hnslots", "set", "--", spec).returncode == 2
    assert sched.ok("hnslots") == "6,2,32"


@pytest.mark.parametrize("crashes", [False, True])
def test_a_drained_slot_goes_to_nobody(sched: Shell, crashes: bool) -> None:
    holder = running(sched, "0,1", WAIT)
    sched.ok("hnslots", "drain", "gpus:0", "cores:1-3,5")
    if crashes:
        sched.kill_broker()
    assert sched.ok("hnslots", "free") == "2,1,32"
    assert sched.ok("hnslots", "drain").split() == [*(f"cores:{n}" for n in (1, 2, 3, 5)), "gpus:0"]
    both = sched.submit("0,2", "true")
    assert sched.job(both)["reason"] == "unavailable: slot gpus:0 is drained"
    other = sched.submit("2,1", "--out", "seen", "echo $QUEUE0 $QUEUE1")
    sched.wait(other)
    assert sched.written("seen") == "0,4 1\n"
    assert sched.job(holder)["allocation"]["gpus"]["slots"] == [0]
    (sched.folder / "go").touch()
    sched.wait(holder)
    assert sched.ok("hnslots", "free") == "2,1,32"
    sched.ok("hnslots", "undrain", "gpus:0")
    sched.wait(both)


@pytest.mark.parametrize("word", ["gpus", "gpus:", "gpus:2", "disks:0", "gpus:x", "gpus:1-0"])
def test_a_slot_that_there_is_not_cannot_be_drained(sched: Shell, word: str) -> None:
    refused = sched.run("hnslots", "drain", word)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert sched.ok("hnslots", "free") == "6,2,32"


@pytest.mark.parametrize("crashes", [False, True])
def test_a_drained_scheduler_ends_and_goes_on_later(sched: Shell, crashes: bool) -> None:
    job = running(sched, "6", WAIT)
    waits = sched.submit("1", "echo ran >> log")
    run = sched.job(job)["run"]
    broker = sched.broker_pid()
    told = sched.ok("hstop", "--drain")
    assert "stops when 1 jobs have ended; 1 pending jobs wait for `hstart --continue`" in told
    refused = sched.run("hsubmit", "1", "true")
    assert (refused.returncode, "being drained" in refused.stderr) == (1, True)
    assert sched.job(waits)["reason"] == "starts are stopped"
    if crashes:
        sched.kill_broker()
        assert sched.job(job)["state"] == "running"
        broker = sched.broker_pid()
    (sched.folder / "go").touch()
    sched.until(lambda: not is_alive(broker), "the broker ends")
    stopped = sched.run("hjobs")
    assert (stopped.returncode, "bad state or not running" in stopped.stderr) == (1, True)
    assert [one["state"] for one in sched.jobs("--all")] == ["done", "pending"]
    plain = sched.run("hstart")
    assert (plain.returncode, "hstart --continue" in plain.stderr) == (1, True)
    assert sched.run("hstatus").stdout == "no schedulers found\n"
    sched.ok("hstart", "--continue")
    ended = sched.wait(waits)
    assert (ended["outcome"], ended["run"]) == ("succeeded", run)
    assert sched.job(job)["outcome"] == "succeeded"
    assert sched.ok("hnslots") == "6,2,32"
    assert sched.submit("1", "true") == "3"


def test_an_idle_scheduler_is_drained_at_once_and_for_good(sched: Shell) -> None:
    sched.wait(sched.submit("1", "true"))
    assert "stopped default scheduler" in sched.ok("hstop", "--drain")
    nothing = sched.run("hstart", "--continue")
    assert (nothing.returncode, "no run to continue" in nothing.stderr) == (1, True)
    sched.ok("hstart")
    assert sched.submit("0", "true") == "1"


def test_a_crash_between_the_end_and_its_traces_starts_nothing(sched: Shell) -> None:
    address = sched.state / "default" / "address"
    waits = sched.submit("--hold", "1", "echo ran >> log")
    before = address.read_text()
    sched.ok("hstop", "--drain")
    assert not address.exists()
    address.write_text(before)  # as if it had been killed before it could remove it
    assert sched.run("hjobs").returncode in (0, 1)
    sched.until(lambda: not address.exists(), "the broker that came back has gone again")
    assert [one["state"] for one in sched.jobs("--all", waits)] == ["pending"]


def test_a_drained_scheduler_can_still_be_forced(sched: Shell) -> None:
    running(sched, "6", "sleep", "1000")
    sched.submit("1", "true")
    sched.ok("hstop", "--drain")
    sched.ok("hstop", "--force")
    assert {one["outcome"] for one in sched.jobs("--all")} == {"cancelled"}
    sched.ok("hstart")


def test_continue_needs_something_to_continue(shell: Shell) -> None:
    nothing = shell.run("hstart", "--continue")
    assert (nothing.returncode, "no run to continue" in nothing.stderr) == (1, True)


def test_continue_takes_up_what_a_crash_cut_short(sched: Shell) -> None:
    running(sched, "6", "sleep", "1000")
    os.kill(pid := sched.broker_pid(), signal.SIGKILL)
    sched.until(lambda: not is_alive(pid), "the broker is gone")
    sched.ok("hstart", "--continue")
    assert sched.job("1")["state"] == "running"
