"""Which jobs are meant: last, names, labels, groups in dependencies; and jobs done again."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from collections.abc import Iterator

import pytest

from tests.e2e.shell import DEADLINE_S, Shell, is_alive

WAIT = "while [ ! -e go ]; do sleep 0.01; done"


def ids(shell: Shell, *words: str) -> list[str]:
    return [one["id"] for one in shell.jobs(*words)]


def test_last_is_the_newest_job_live_or_not(sched: Shell) -> None:
    assert sched.run("hjobs", "last").returncode == 1
    sched.submit("--hold", "1", "true")
    sched.submit("--hold", "1", "true")
    sched.wait(sched.submit("1", "true"))
    assert ids(sched, "last~1") == ["2"]
    assert ids(sched, "--all", "last", "last~2") == ["1", "3"]
    assert sched.run("hkill", "last").returncode == 1
    sched.ok("hkill", "last~1")
    assert sched.run("hjobs", "last~3").stderr.startswith("hjobs: couldn't find job last~3")
    sched.ok("hrelease", "last~2")
    dependant = sched.submit("--dep", "afterok:last", "1", "true")
    assert sched.job(dependant)["depends_on"][0]["id"] == "3"
    sched.wait(dependant)


def test_names_and_labels_choose(sched: Shell) -> None:
    for name, label in (("a", "x"), ("a", "y"), ("7", "x"), ("last", "z z")):
        sched.submit("--hold", "--job-name", name, "--label", label, "--label", "all", "1", "true")
    assert ids(sched, "a") == ids(sched, "--job-name", "a") == ["1", "2"]
    assert ids(sched, "label:x") == ids(sched, "--label", "x") == ["1", "3"]
    assert ids(sched, "--label", "z z", "name:7") == ["3", "4"]
    assert ids(sched, "--job-name", "last") == ["4"]
    assert ids(sched, "--label", "all", "--state", "pending") == ["1", "2", "3", "4"]
    assert sched.run("hjobs", "--label", "al").returncode == 1
    sched.ok("hkill", "--label", "x", "--label", "y")
    assert ids(sched) == ["4"]


def test_states_choose(sched: Shell) -> None:
    sched.submit("1", "sleep", "1000")
    sched.submit("--hold", "1", "true")
    sched.wait(sched.submit("1", "true"))
    assert ids(sched, "--state", "running") == ["1"]
    assert ids(sched, "--state", "pending", "--state", "running") == ["1", "2"]
    assert ids(sched, "--all", "--state", "done") == ["3"]
    assert ids(sched, "--all", "--state", "done", "--state", "running") == ["1", "3"]


def test_names_and_folders_may_hold_bytes_that_are_no_text(sched: Shell) -> None:
    folder = os.fsencode(sched.folder) + b"/odd\xff"
    os.mkdir(folder)
    sched.ok("hsubmit", "--job-name", b"n\xff", "--out", "seen", "1", "echo in", cwd=folder)
    assert sched.wait("1")["outcome"] == "succeeded"
    assert os.path.exists(folder + b"/seen")
    assert sched.ok("hjobs", "--all", b"n\xff").splitlines()[1].split()[0] == "1"
    refused = sched.run("hsubmit", "--label", b"l\xff", "1", "true")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)


def test_a_group_means_those_for_which_it_makes_sense(sched: Shell) -> None:
    runs = sched.submit("--label", "g", "6", "sleep", "1000")
    waits = sched.submit("--label", "g", "6", "true")
    sched.until(lambda: sched.job(runs)["state"] == "running", "it runs")
    sched.ok("hhold", "label:g")
    assert sched.job(waits)["reason"] == "held"
    sched.ok("hsuspend", "label:g")
    assert sched.job(runs)["suspended"] is True


def test_a_dependency_on_a_group_waits_for_its_live_jobs(sched: Shell) -> None:
    done = sched.submit("--label", "prepare", "1", "exit 1")
    sched.wait(done)
    group = [sched.submit("--label", "prepare", "--job-name", "p", "1", WAIT) for _ in range(2)]
    words = ("--dep", "afterok:label:prepare,name:p", "1", "true")
    after = sched.submit(*words)
    assert [one["id"] for one in sched.job(after)["depends_on"]] == group
    sched.kill_broker()
    assert sched.job(after)["state"] == "pending"
    (sched.folder / "go").touch()
    assert sched.wait(after)["outcome"] == "succeeded"
    unknown = sched.run("hsubmit", "--dep", "label:nobody", "1", "true")
    assert (unknown.returncode, "label:nobody" in unknown.stderr) == (1, True)
    late = sched.submit("--dep", "label:prepare", "1", "true")
    assert sched.wait(late)["outcome"] == "succeeded"


def test_a_job_is_run_again_as_it_was(sched: Shell) -> None:
    line = "cd / && echo $COLOUR $PWD >> $HOME/work/log; exit 3"
    words = ["1,1", "--priority", "4", "--job-name", "again", "--label", "x", line]
    job = sched.submit(*words, env={"COLOUR": "red"}, cwd=sched.home)
    sched.wait(job)
    assert sched.ok("hrerun", job) == "2"
    new, old = sched.wait("2"), sched.job(job)
    same = ("name", "labels", "command", "request", "priority", "cwd", "exit_status")
    assert [new[key] for key in same] == [old[key] for key in same]
    assert sched.written("log") == "red /\nred /\n"


def test_what_was_updated_is_run_again_as_updated(sched: Shell) -> None:
    job = sched.submit("--hold", "1", "false")
    sched.ok("hupdate", job, "--slots", "2", "--time", "1h", "--priority", "2")
    sched.ok("hrelease", job)
    sched.wait(job)
    new = sched.wait(sched.ok("hrerun", "last"))
    assert (new["request"]["cores"]["amount"], new["priority"]) == (2, 2)


def test_failed_takes_up_a_pipeline_where_it_broke(sched: Shell) -> None:
    first = sched.submit("1", "[ -e fixed ]")
    second = sched.submit("--dep", f"afterok:{first}", "1", "echo ran >> log")
    good = sched.submit("1", "true")
    sched.wait(good)
    assert sched.wait(second)["outcome"] == "dependency failed"
    (sched.folder / "fixed").touch()
    assert sched.ok("hrerun", "--failed").split() == ["4", "5"]
    assert sched.wait("5")["outcome"] == "succeeded"
    assert sched.job("5")["depends_on"][0]["id"] == "4"
    assert sched.ok("hrerun", "--failed") == ""


def test_a_live_job_is_not_run_again(sched: Shell) -> None:
    job = sched.submit("--hold", "1", "true")
    refused = sched.run("hrerun", job)
    assert (refused.returncode, "hrerun is for jobs that are done" in refused.stderr) == (1, True)
    assert sched.run("hrerun", "99").returncode == 1
    assert ids(sched, "--all") == [job]


def test_a_job_whose_environment_was_deleted_is_not_run_again(sched: Shell) -> None:
    job = sched.submit("1", "true")
    sched.wait(job)
    sched.kill_broker()
    db = sqlite3.connect(sched.state / "default" / "hsched.db")
    db.execute("DELETE FROM environment")
    db.commit()
    db.close()
    refused = sched.run("hrerun", job)
    assert (refused.returncode, "environment was deleted" in refused.stderr) == (1, True)
    assert ids(sched, "--all") == [job]


@pytest.fixture
def stranger(sched: Shell) -> Iterator[subprocess.Popen[bytes]]:
    """A process of this user that hsched did not start, with a child that ignores TERM."""
    line = f"(trap '' TERM; touch deaf; {WAIT}) & touch up; {WAIT}; wait"
    with subprocess.Popen(["/bin/sh", "-c", line], cwd=sched.folder, env=sched.env) as process:
        sched.until((sched.folder / "up").exists, "the stranger runs")
        sched.until((sched.folder / "deaf").exists, "its child runs")
        yield process
        process.kill()


@pytest.mark.parametrize("crashes", [False, True])
def test_an_adopted_process_holds_slots_until_it_ends(
    sched: Shell, stranger: subprocess.Popen[bytes], crashes: bool
) -> None:
    job = sched.ok("hadopt", "--at", "gpus:1", "--job-name", "guest", str(stranger.pid), "5,1")
    assert sched.ok("hnslots", "free") == "1,1,32"
    found = sched.job(job)
    assert (found["state"], found["command"][:2]) == ("running", ["/bin/sh", "-c"])
    assert found["allocation"]["gpus"]["slots"] == [1]
    assert (found["out"], found["cwd"]) == (None, str(sched.folder))
    any_end = sched.submit("--dep", job, "1", "true")
    success = sched.submit("--dep", f"afterok:{job}", "1", "true")
    again = sched.run("hadopt", str(stranger.pid), "1")
    assert (again.returncode, "part of a job already" in again.stderr) == (1, True)
    if crashes:
        sched.kill_broker()
        assert sched.job(job)["state"] == "running"
        assert sched.ok("hnslots", "free") == "1,1,32"
    (sched.folder / "go").touch()
    assert stranger.wait(DEADLINE_S) == 0
    ended = sched.wait(job)
    assert (ended["outcome"], ended["exit_status"]) == ("lost", None)
    assert ended["reason"].startswith("adopted: ")
    assert sched.wait(any_end)["outcome"] == "succeeded"
    assert sched.wait(success)["outcome"] == "dependency failed"
    assert sched.ok("hnslots", "free") == "6,2,32"


@pytest.mark.parametrize("crashes", [False, True])
def test_hkill_ends_an_adopted_process_and_its_children(
    sched: Shell, stranger: subprocess.Popen[bytes], crashes: bool
) -> None:
    job = sched.ok("hadopt", "--grace", "0.2", str(stranger.pid), "1")
    children = sched.ok("pgrep", "-P", str(stranger.pid)).split()
    sched.ok("hsuspend", job)
    if crashes:
        sched.kill_broker()
    sched.ok("hkill", job)
    assert sched.job(job)["outcome"] == "cancelled"
    assert stranger.wait(DEADLINE_S) != 0
    assert not any(is_alive(int(child)) for child in children)
    assert sched.ok("hnslots", "free") == "6,2,32"


def test_an_adopted_process_that_ended_while_no_broker_lived(
    sched: Shell, stranger: subprocess.Popen[bytes]
) -> None:
    job = sched.ok("hadopt", str(stranger.pid), "6")
    sched.kill_broker()
    (sched.folder / "go").touch()
    stranger.wait(DEADLINE_S)
    assert sched.wait(job)["outcome"] == "lost"
    assert sched.ok("hnslots", "free") == "6,2,32"


def test_what_cannot_be_adopted(sched: Shell, stranger: subprocess.Popen[bytes]) -> None:
    sched.submit("6", "sleep", "1000")
    sched.until(lambda: sched.ok("hnslots", "free") == "0,2,32", "it runs")
    (job,) = sched.pids("^sleep 1000")
    cases = [
        (str(stranger.pid), "1", 1, "0 free"),
        (str(stranger.pid), "7", 2, "there is cores=6"),
        (str(2**22 + 1), "0", 1, "there is no process"),
        (str(sched.broker_pid()), "0", 1, "the broker itself"),
        (str(job), "0", 1, "part of a job"),
        ("0", "0", 1, "there is no process"),
    ]
    if os.getuid() != 0:
        cases.append(("1", "0", 1, "another user"))
    for pid, slots, status, told in cases:
        refused = sched.run("hadopt", pid, slots)
        assert (refused.returncode, told in refused.stderr) == (status, True), refused
    taken = sched.run("hadopt", "--at", "gpus:2", str(stranger.pid), "0,1")
    assert taken.returncode == 2
    assert len(json.loads(sched.ok("hjobs", "--all", "--json"))) == 1


def test_an_adopted_process_has_no_command_to_run_again(
    sched: Shell, stranger: subprocess.Popen[bytes]
) -> None:
    job = sched.ok("hadopt", str(stranger.pid), "1")
    sched.ok("hkill", "-k", job)
    stranger.wait(DEADLINE_S)
    assert sched.ok("hrerun", "--failed") == ""
    refused = sched.run("hrerun", job)
    assert (refused.returncode, "was adopted" in refused.stderr) == (1, True)
