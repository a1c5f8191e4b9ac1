"""History: what was is not forgotten, and costs nothing while nobody asks."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Any

from hsched.core.model import job_id
from tests.e2e.shell import Shell


def test_a_done_job_tells_everything(sched: Shell) -> None:
    before = datetime.now(timezone.utc)
    job = sched.wait(
        sched.submit("2,1,4", "--job-name", "n", "--label", "a", "exec 2>&1; sleep 0.1; exit 4")
    )
    assert (job["state"], job["outcome"], job["exit_status"], job["signal"]) == (
        "done",
        "failed",
        4,
        None,
    )
    stamps = [
        datetime.fromisoformat(job[key]) for key in ("submitted_at", "started_at", "ended_at")
    ]
    assert all(stamp.tzinfo for stamp in stamps)
    assert stamps == sorted(stamps)
    assert (stamps[0] - before).total_seconds() > -0.01
    assert 0.1 <= job["wall_s"] < 30
    assert 0 <= job["cpu_s"] < 1
    assert job["peak_memory_bytes"] > 100_000
    assert job["peak_memory_kind"] == "process"
    assert job["request"]["gpus"]["amount"] == 1
    assert job["allocation"]["cores"] == {"amount": 2, "slots": [0, 1]}
    assert (job["name"], job["labels"], job["cwd"]) == ("n", ["a"], str(sched.folder))
    assert job["command"] == ["/bin/sh", "-c", "exec 2>&1; sleep 0.1; exit 4"]


def test_history_can_be_narrowed(sched: Shell) -> None:
    for line in ("exit 0", "exit 1", "exit 0", "exit 2"):
        sched.wait(sched.submit("1", line))
    sched.submit("1", "sleep", "1000")

    def ids(*words: str) -> list[str]:
        return [job["id"] for job in sched.jobs(*words)]

    assert ids("--all") == ["1", "2", "3", "4", "5"]
    assert ids("done") == ["1", "2", "3", "4"]
    assert ids("failed") == ["2", "4"]
    assert ids("--all", "--last", "2") == ["4", "5"]
    assert ids() == ["5"]
    assert ids("2", "--all") == ["2"]


def test_history_survives_hstop_and_older_runs_stay(shell: Shell) -> None:
    runs = []
    for count in (2, 3):
        shell.ok("hstart", f"{count},{count}")
        for number in range(count):
            shell.wait(shell.submit("1,1", f"exit {number}"))
        runs.append(shell.job("1")["run"])
        shell.ok("hstop")
    assert [job["exit_status"] for job in shell.jobs("--all")] == [0, 1, 2]
    assert [job["exit_status"] for job in shell.jobs("--all", "--run", runs[0])] == [0, 1]
    assert shell.run("hjobs").returncode == 1, "there are no live jobs of a stopped scheduler"
    shell.ok("hstart", "1")
    assert shell.jobs("--all") == []
    older = shell.jobs("--all", "--run", runs[1])
    assert [job["allocation"]["gpus"]["slots"] for job in older] == [[0]] * 3


def test_the_last_jobs_of_very_many_are_told_at_once(sched: Shell) -> None:
    sched.ok("hstop")
    import sqlite3

    with sqlite3.connect(sched.state / "default/hsched.db") as db:
        _invent_jobs(db, 200_000)
    db.close()
    sched.ok("hstart", "1")
    run = "2000-01-01/00-00-00"
    begin = time.monotonic()
    found = sched.jobs("--all", "--run", run, "--last", "2")
    assert [job["id"] for job in found] == ["199999", "200000"]
    assert time.monotonic() - begin < 20, "it must not have looked at all of them"


def _invent_jobs(db: Any, count: int) -> None:
    db.execute(
        "INSERT INTO run (number, name, resources, options, started_at, ended_at, boot_id)"
        " VALUES (99, '2000-01-01/00-00-00', '[]', '{}', 0, 1, '')"
    )
    columns = {
        "run": 99,
        "uid": 0,
        "host": "h",
        "kind": "command",
        "labels": "[]",
        "submitted_at": 1.0,
        "environment": 1,
        "cwd": "/",
        "spec": '{"slots":"0","argv":["true"]}',
        "depends_on": "[]",
        "given_sum": 0,
        "priority": 0,
        "held": 0,
        "hold_reason": "",
        "request": "[]",
        "passed": 0,
        "asked_sum": 0,
        "state": "done",
        "attempt": 1,
        "suspended": 0,
        "outcome": "succeeded",
        "reason": "",
        "life_sum": 0,
    }
    names = ", ".join(["id", *columns])
    marks = ", ".join("?" * (len(columns) + 1))
    db.executemany(
        f"INSERT INTO job ({names}) VALUES ({marks})",
        ((job_id(number), *columns.values()) for number in range(1, count + 1)),
    )
    db.commit()


def test_hstop_says_when_the_logs_are_large(sched: Shell) -> None:
    small = sched.ok("hstop")
    assert "GB" not in small
    sched.ok("hstart", "1")
    with open(sched.state / "default/current/1.out", "wb") as log:
        log.truncate(1_200_000_000)
    assert sched.ok("hstop").endswith("; they are 1.2 GB")


def test_environments_are_kept_as_long_as_hstart_says(shell: Shell) -> None:
    shell.ok("hstart", "--keep-env", "0", "1")
    shell.wait(shell.submit("1", "--env", "A=b", "true", env={"SECRET": "xyzzy"}))
    store = shell.state / "default/hsched.db"
    shell.kill_broker()
    shell.ok("hjobs")
    shell.ok("hstop")
    assert b"xyzzy" not in store.read_bytes()
