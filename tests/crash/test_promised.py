"""Brief jobs that began on a promise alone, and a machine that lost its power then."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
from collections.abc import Set

from hsched.core.model import format_job_id
from tests.crash.test_power_loss import lose_power
from tests.crash.test_taken import LINE, SHORT, log
from tests.e2e.shell import Shell, is_alive, state_of

#: Stops the broker where the tenth job runs for the first time.
STOP = "[ $HSCHED_JOB_ID-$HSCHED_ATTEMPT != 10-1 ] || kill -STOP $(cat broker)"
BRIEF = f"echo $HSCHED_JOB_ID >> log; {STOP}"


def promised(shell: Shell) -> set[str] | None:
    """Return of which jobs the store says that they may have begun; None where that cannot be read.

    The broker has the store for itself, so a copy is looked at.
    """
    copy = shell.folder / "copy"
    copy.mkdir(exist_ok=True)
    for name in ("hsched.db", "hsched.db-wal"):
        (copy / name).unlink(missing_ok=True)
        with contextlib.suppress(FileNotFoundError):  # a log goes with who closes the store
            shutil.copy(shell.state / "default" / name, copy)
    store = sqlite3.connect(copy / "hsched.db")
    try:
        rows = list(store.execute("SELECT jobs FROM promise"))
    except sqlite3.DatabaseError:
        return None
    finally:
        store.close()
    return {format_job_id(job) for row in rows for job in json.loads(row[0])}


def forget_records(shell: Shell, jobs: Set[str]) -> None:
    """Let the records of these jobs never have come to the disk, nor the ending of any."""
    for record in shell.state.glob("default/*/*/records/*"):
        written = record.read_bytes()
        name = re.match(rb"started v1 \S+ \S+ \S+ (\d+)-", written)
        is_promised = name is not None and name[1].decode() in jobs
        record.write_bytes((b"" if is_promised else written[:192]).ljust(512, b"\0"))


def burst(shell: Shell, *words: str) -> list[str]:
    """Let brief jobs run until the shim has taken all that a stopped broker had laid out.

    Return the jobs that ran until the power went.
    """
    (shell.folder / "broker").write_text(str(shell.broker_pid()))
    shell.submit("1", LINE)
    shell.submit("1", *words, "--each", "-", input=f"{BRIEF}\n" * 39)
    (shell.folder / "go").touch()
    shell.until(lambda: state_of(shell.broker_pid()) == "T", "it is stopped")
    shell.until(lambda: not shell.pids("echo .HSCHED_JOB_ID"), "the last has ended")
    known = promised(shell)
    assert known is not None
    os.kill(shell.broker_pid(), signal.SIGKILL)
    forget_records(shell, known)
    lose_power(shell)
    return log(shell)


def test_what_began_on_a_promise_is_lost_and_not_begun_again(one: Shell) -> None:
    ran = burst(one)
    one.run("hwait", "1-40")
    reasons = {
        str(job["id"]): job["reason"] for job in one.jobs("--all") if job["outcome"] == "lost"
    }
    lost = set(reasons)
    assert "10" in lost
    assert set(reasons.values()) <= {"reboot", "reboot; it may not have begun"}
    assert sorted(log(one)) == sorted({str(job) for job in range(1, 41)} - lost | set(ran))


def test_what_asked_for_it_is_begun_again(one: Shell) -> None:
    burst(one, "--requeue")
    one.run("hwait", "1-40")
    attempts = {str(job["id"]): job["attempt"] for job in one.jobs("--all")}
    assert attempts["10"] == 2
    assert {job["outcome"] for job in one.jobs("--all", "2-40")} == {"succeeded"}


def test_a_promise_outlives_the_damage_of_the_store(one: Shell) -> None:
    ran = burst(one)
    one.ok("hstart", "--salvage")
    one.run("hwait", "1-40")
    assert sorted(log(one)) == sorted(set(log(one)))
    assert set(ran) <= set(log(one))


def test_a_promise_that_is_damaged_is_left_out(one: Shell) -> None:
    burst(one)
    with sqlite3.connect(one.state / "default/hsched.db") as store:
        store.execute("UPDATE promise SET jobs = '[]'")
    store.close()
    refused = one.run("hjobs")
    assert refused.returncode == 1
    assert "what was promised" in refused.stderr
    one.ok("hstart", "--salvage")
    one.run("hwait", "1-40")
    assert "1 damaged rows were left out" in (one.state / "default/broker.log").read_text()


def test_nothing_stays_promised_where_the_broker_ends_in_order(one: Shell) -> None:
    one.submit("1", LINE)
    one.submit("1", "--each", "-", input="true\n" * 400)
    (one.folder / "go").touch()
    one.until(lambda: promised(one) or not one.jobs(), "some are promised")
    broker = one.broker_pid()
    os.kill(broker, signal.SIGTERM)
    one.until(lambda: not is_alive(broker), "the broker has ended")
    assert promised(one) == set()


def test_nothing_is_promised_once_jobs_are_long(one: Shell) -> None:
    one.submit("1", LINE)
    one.submit("1", "--each", "-", input=f"{SHORT}\n" * 9)
    long, last = one.submit("1", LINE.replace("-e go", "-e on")), one.submit("1", SHORT)
    (one.folder / "go").touch()
    one.until(lambda: log(one)[-1:] == [long], "the long one runs")
    one.until(lambda: promised(one) == set(), "nothing is promised")
    lose_power(one)
    assert one.wait(last)["exit_status"] == 3
    assert one.job(long)["outcome"] == "lost"
