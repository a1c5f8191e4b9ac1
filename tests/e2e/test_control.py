"""Control over jobs: held, changed, suspended, limited, tried again; also over a broker's death.

Nothing here waits for time to pass but for what it brings.
"""

from __future__ import annotations

import sqlite3

import pytest

from hsched.broker.store import schema
from hsched.broker.store.rows import Life, checksum
from tests.e2e.shell import Shell, state_of

WAIT = "while [ ! -e go ]; do sleep 0.01; done"


def state(shell: Shell, job: str) -> str:
    return str(shell.job(job)["state"])


def running(shell: Shell, *words: str) -> str:
    """Submit a job and wait until it runs."""
    job = shell.submit(*words)
    shell.until(lambda: state(shell, job) == "running", f"job {job} runs")
    return job


@pytest.fixture(params=["broker lives", "broker killed"])
def crash(request: pytest.FixtureRequest, sched: Shell) -> Shell:
    """A scheduler whose broker is killed (or not) when the test calls `close_eyes`."""
    sched.env["CRASH"] = request.param
    return sched


def close_eyes(shell: Shell) -> None:
    if shell.env["CRASH"] == "broker killed":
        shell.kill_broker()


def test_a_held_job_waits_for_its_release(crash: Shell) -> None:
    job = crash.submit("--hold", "1", "true")
    other = crash.submit("1", "true")
    crash.wait(other)
    close_eyes(crash)
    found = crash.job(job)
    assert (found["state"], found["reason"]) == ("pending", "held")
    crash.ok("hrelease", job)
    assert crash.wait(job)["outcome"] == "succeeded"


def test_hhold_keeps_a_pending_job_from_starting(crash: Shell) -> None:
    first = running(crash, "6", WAIT)
    held, free = crash.submit("6", "true"), crash.submit("6", "true")
    crash.ok("hhold", held)
    close_eyes(crash)
    (crash.folder / "go").touch()
    crash.wait(free)
    assert crash.job(held)["reason"] == "held"
    refused = crash.run("hhold", first)
    assert refused.returncode == 1
    crash.ok("hrelease", "--all")
    crash.wait(held)


def test_a_job_that_runs_cannot_be_held(sched: Shell) -> None:
    job = running(sched, "1", "sleep", "1000")
    refused = sched.run("hhold", job)
    assert (refused.returncode, refused.stderr) == (
        1,
        f"hhold: job {job} is running: hold is for pending jobs\n",
    )


def test_the_larger_priority_goes_first(crash: Shell) -> None:
    running(crash, "6", WAIT)
    for number in ("0", "-1", "2", "1"):
        crash.submit("--priority", number, "6", f"echo {number} >> order")
    last = crash.submit("6", "echo updated >> order")
    crash.ok("hupdate", last, "--priority", "3")
    assert crash.job("last")["priority"] == 3
    close_eyes(crash)
    assert crash.job("last")["priority"] == 3
    (crash.folder / "go").touch()
    crash.wait("3")
    assert (crash.folder / "order").read_text().split() == ["updated", "2", "1", "0", "-1"]


def test_hupdate_changes_slots_limit_and_dependencies(crash: Shell) -> None:
    first = running(crash, "6", WAIT)
    job = crash.submit("--hold", "6", "true")
    crash.ok("hupdate", job, "--slots", "cores=1,gpus=2", "--time", "2h", "--dep", first)
    close_eyes(crash)
    found = crash.job(job)
    assert {name: one["amount"] for name, one in found["request"].items()} == {
        "cores": 1,
        "gpus": 2,
        "mem": 0,
    }
    assert [(d["id"], d["condition"]) for d in found["depends_on"]] == [(first, "afterany")]
    crash.ok("hrelease", job)
    assert crash.job(job)["reason"] == f"dependency: afterany {first}"
    crash.ok("hupdate", job, "--dep", "none")
    assert crash.job(job)["reason"].startswith("slots: needs 1 cores, 0 free (job 1 holds 6)")
    (crash.folder / "go").touch()
    crash.wait(job)


def test_hupdate_refuses_what_cannot_be(sched: Shell) -> None:
    running(sched, "6", "sleep", "1000")
    job, other = sched.submit("6", "true"), sched.submit("6", "--dep", "2", "true")
    for change in (["--slots", "7"], ["--dep", other], ["--dep", "99"], ["--priority", "9" * 30]):
        before = sched.job(job)
        assert sched.run("hupdate", job, *change).returncode in (1, 2)
        assert sched.job(job) == before


def test_a_suspended_job_stops_and_keeps_its_slots(crash: Shell) -> None:
    job = running(crash, "6", "while :; do echo >> beat; sleep 0.01; done")
    crash.until((crash.folder / "beat").exists, "the job works")
    crash.ok("hsuspend", job)
    close_eyes(crash)
    assert "suspended" in crash.ok("hjobs", job)
    assert crash.job(job)["suspended"] is True
    assert crash.ok("hnslots", "free") == "0,2,32"
    crash.until(lambda: _states(crash) <= {"T", "D"}, "all its processes are stopped")
    crash.ok("hresume", "--all")
    assert crash.job(job)["suspended"] is False
    size = (crash.folder / "beat").stat().st_size
    crash.until(lambda: (crash.folder / "beat").stat().st_size > size, "it works again")


def test_a_suspended_job_can_be_killed(sched: Shell) -> None:
    job = running(sched, "1", "sleep", "1000")
    sched.ok("hsuspend", job)
    sched.ok("hkill", job)
    assert sched.job(job)["outcome"] == "cancelled"


def test_a_job_at_its_limit_is_timed_out(crash: Shell) -> None:
    job = crash.submit("--time", "0.5s", "1", "touch up; exec sleep 1000")
    crash.until((crash.folder / "up").exists, "it runs, or did")
    close_eyes(crash)
    ended = crash.wait(job)
    assert (ended["outcome"], ended["signal"]) == ("timed out", 15)


def test_a_warning_comes_before_the_limit(sched: Shell) -> None:
    line = "trap 'echo warned >> log' USR1; touch up; while :; do sleep 0.01; done"
    job = sched.submit("--time", "1000", "--warn", "USR1@999.5s", "1", line)
    assert sched.written("log") == "warned\n"
    assert state(sched, job) == "running"


def test_a_job_that_ignores_term_at_its_limit_is_killed(sched: Shell) -> None:
    line = "trap '' TERM; while :; do sleep 0.01; done"
    job = sched.submit("--time", "0.2s", "--grace", "0.2", "1", line)
    ended = sched.wait(job)
    assert (ended["outcome"], ended["signal"]) == ("timed out", 9)


def test_the_limit_counts_from_the_start_over_a_restart(sched: Shell) -> None:
    job = running(sched, "--time", "1000", "1", "sleep", "2000")
    sched.kill_broker()
    _rewrite_life(sched, job, lambda life: life._replace(started_clock=life.started_clock - 1001))
    assert sched.wait(job)["outcome"] == "timed out"


def test_a_wall_clock_that_was_set_ends_nobody(sched: Shell) -> None:
    job = running(sched, "--time", "1000", "1", "sleep", "2000")
    for shift in (-1e6, 1e6):
        sched.kill_broker()
        _rewrite_life(sched, job, lambda life, by=shift: life._replace(started_at=by))
        sched.wait(sched.submit("0", "true"))
        assert state(sched, job) == "running"


def test_a_failure_is_tried_again(crash: Shell) -> None:
    line = "echo $HSCHED_ATTEMPT >> log; while [ ! -e go$HSCHED_ATTEMPT ]; do sleep 0.01; done;"
    job = crash.submit("--retries", "2", "1", f"{line} exit 3")
    (crash.folder / "go1").touch()
    crash.until(lambda: _lines(crash, "log") == ["1", "2"], "it is tried again")
    close_eyes(crash)
    (crash.folder / "go2").touch()
    (crash.folder / "go3").touch()
    ended = crash.wait(job)
    assert (ended["outcome"], ended["exit_status"], ended["attempt"]) == ("failed", 3, 3)
    assert _lines(crash, "log") == ["1", "2", "3"]


def test_retries_can_be_for_some_exit_statuses_alone(sched: Shell) -> None:
    words = ("--retries", "5", "--retry-on", "1,137", "1")
    other = sched.submit(*words, "exit 2")
    killed = sched.submit(*words, "[ $HSCHED_ATTEMPT = 3 ] || kill -9 $$")
    assert sched.wait(other)["attempt"] == 1
    ended = sched.wait(killed)
    assert (ended["outcome"], ended["attempt"]) == ("succeeded", 3)


def test_a_job_begins_no_earlier_than_it_may(crash: Shell) -> None:
    later = crash.submit("--begin", "+10h", "1", "true")
    soon = crash.submit("--begin", "+0.3s", "1", "true")
    past = crash.submit("--begin", "2020-01-01", "1", "true")
    close_eyes(crash)
    crash.wait(past)
    crash.wait(soon)
    found = crash.job(later)
    assert found["state"] == "pending"
    assert found["reason"].startswith("begins ")


def test_hjobs_tells_why_and_until_when(sched: Shell) -> None:
    running(sched, "--time", "1h", "6", "sleep", "1000")
    job = sched.submit("--time", "1h", "6", "true")
    behind = sched.submit("6", "true")
    found = sched.job(job)
    assert "slots: needs 6 cores, 0 free (job 1 holds 6 until " in found["reason"]
    assert found["expected_start_at"] is not None
    assert sched.job("1")["expected_start_at"] is None
    lines = [line.split(maxsplit=3) for line in sched.ok("hjobs", "--why", "pending").splitlines()]
    assert lines[0] == ["ID", "STATE", "EXPECTED", "REASON"]
    assert [line[:2] for line in lines[1:]] == [[job, "pending"], [behind, "pending"]]
    assert lines[1][3] == found["reason"]


def _states(shell: Shell) -> set[str]:
    """Return the states of the processes of jobs, as the kernel tells them.

    "T" is stopped; "D" is a shell in vfork() whose child was stopped before its exec.
    """
    return {state_of(pid) for pid in shell.pids("echo >> beat")}


def _lines(shell: Shell, name: str) -> list[str]:
    file = shell.folder / name
    return file.read_text().split() if file.exists() else []


def _rewrite_life(shell: Shell, job: str, change: object) -> None:
    """Change what the store knows of a job while no broker has it open."""
    assert callable(change)
    db = sqlite3.connect(shell.state / "default" / "hsched.db")
    number = int(job) << 21
    columns = ", ".join(schema.LIFE)
    row = db.execute(f"SELECT {columns} FROM job WHERE id = ?", (number,)).fetchone()
    life = change(Life(*row))
    marks = ", ".join(f"{name} = ?" for name in schema.LIFE)
    db.execute(
        f"UPDATE job SET {marks}, life_sum = ? WHERE id = ?", (*life, checksum(life), number)
    )
    db.commit()
    db.close()
