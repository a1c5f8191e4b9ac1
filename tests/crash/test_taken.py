"""Jobs that a shim went on with by itself, and a broker that could not hear of it."""

from __future__ import annotations

import os
import signal
import sqlite3
from functools import partial
from pathlib import Path

import pytest

from tests.crash.test_power_loss import lose_power
from tests.e2e.shell import Shell

#: Says that it runs, and on which slot, and ends when told to.
LINE = "echo $HSCHED_JOB_ID $QUEUE0 >> log; while [ ! -e go ]; do sleep 0.01; done; exit 3"
SHORT = "echo $HSCHED_JOB_ID $QUEUE0 >> log; exit 3"


def log(shell: Shell) -> list[str]:
    """Return the ids of the jobs that ran, in order of their start."""
    path = shell.folder / "log"
    return [line.split()[0] for line in path.read_text().splitlines()] if path.exists() else []


def records(shell: Shell) -> list[bytes]:
    """Return what shims have written down, and what is there to be written to."""
    (folder,) = shell.state.glob("default/*/*/records")
    return [path.read_bytes() for path in folder.iterdir()]


def until_laid_out(shell: Shell, count: int = 1) -> None:
    """Wait until so many are next in line, and the broker does no more about it."""
    sleeps = Path(f"/proc/{shell.broker_pid()}/wchan")
    shell.until(lambda: records(shell).count(bytes(512)) >= count, "they are laid out")
    shell.until(lambda: "poll" in sleeps.read_text(), "the broker sleeps")


def _have_run(shell: Shell, count: int) -> bool:
    return len(log(shell)) >= count


def deafen(shell: Shell) -> int:
    """Stop the broker: it lives, and hears nothing."""
    pid = shell.broker_pid()
    os.kill(pid, signal.SIGSTOP)
    return pid


def until_over(shell: Shell, job: str) -> None:
    """Wait until the record has the end of a job that was taken."""
    name = f" {job}-1\n".encode()
    shell.until(
        lambda: any(name in one and b"exited" in one for one in records(shell)), f"{job} is over"
    )


def the_second_runs_alone(shell: Shell) -> tuple[str, str, str]:
    """Return three jobs, of which the second was taken, and of which no broker knows that.

    Each ends when a file is there that is called ``go`` and its id.
    """
    line = LINE.replace("-e go", '-e "go$HSCHED_JOB_ID"')
    first, second, third = (shell.submit("1", line) for _ in range(3))
    until_laid_out(shell)
    broker = deafen(shell)
    (shell.folder / f"go{first}").touch()
    shell.until(lambda: log(shell) == [first, second], "the second runs")
    os.kill(broker, signal.SIGKILL)
    return first, second, third


def test_the_next_in_line_starts_while_the_broker_sleeps(one: Shell) -> None:
    first = one.submit("1", LINE)
    second, third = one.submit("1", SHORT), one.submit("1", SHORT)
    until_laid_out(one)
    broker = deafen(one)
    (one.folder / "go").touch()
    until_over(one, second)
    os.kill(broker, signal.SIGCONT)
    assert [one.wait(job)["exit_status"] for job in (first, second, third)] == [3, 3, 3]
    assert log(one) == [first, second, third]


def test_what_ran_while_no_broker_lived_has_run_once(one: Shell) -> None:
    """Several in a row on the same slot, of which the store knows nothing."""
    jobs = [one.submit("1", LINE), *(one.submit("1", SHORT) for _ in range(6))]
    until_laid_out(one, 2)
    broker = deafen(one)
    (one.folder / "go").touch()
    until_over(one, jobs[2])
    os.kill(broker, signal.SIGKILL)
    ended = [one.wait(job) for job in jobs]
    assert [job["exit_status"] for job in ended] == [3] * 7
    assert log(one) == jobs
    assert all(job["started_at"] <= job["ended_at"] for job in ended)
    assert one.ok("hnslots", "free") == "1"


def test_nobody_starts_what_was_laid_out_by_a_broker_that_is_dead(one: Shell) -> None:
    first, second = one.submit("1", LINE), one.submit("1", SHORT)
    until_laid_out(one)
    one.kill_broker()
    (one.folder / "go").touch()
    one.until(lambda: not one.pids(f"hsched-shim {first}$"), "the first is over")
    assert log(one) == [first]
    assert one.wait(second)["exit_status"] == 3
    assert log(one) == [first, second]


def test_one_that_runs_is_held_by_the_next_broker(one: Shell) -> None:
    first, second, third = the_second_runs_alone(one)
    assert one.wait(first)["exit_status"] == 3
    assert (one.job(second)["state"], one.job(third)["state"]) == ("running", "pending")
    assert one.ok("hnslots", "free") == "0"
    one.ok("hkill", second)
    assert one.wait(second)["outcome"] == "cancelled"
    (one.folder / f"go{third}").touch()
    assert one.wait(third)["exit_status"] == 3
    assert log(one) == [first, second, third]


def test_the_next_broker_may_have_more_slots(one: Shell) -> None:
    """What runs already is not started on one of the new ones."""
    first, second, third = the_second_runs_alone(one)
    one.ok("hstart", "2")
    one.until(lambda: log(one) == [first, second, third], "the third runs beside it")
    for job in (second, third):
        (one.folder / f"go{job}").touch()
    assert [one.wait(job)["exit_status"] for job in (first, second, third)] == [3, 3, 3]
    assert log(one) == [first, second, third]


def test_one_whose_shim_was_killed_then_is_lost(one: Shell) -> None:
    line = LINE.replace("-e go", '-e "go$HSCHED_JOB_ID"')
    first, second, third = one.submit("1", line), one.submit("1", line), one.submit("1", SHORT)
    until_laid_out(one)
    broker = deafen(one)
    (one.folder / f"go{first}").touch()
    one.until(lambda: log(one) == [first, second], "the second runs")
    os.kill(one.pid(f"hsched-shim {second}$"), signal.SIGKILL)
    os.kill(broker, signal.SIGKILL)
    assert one.wait(first)["exit_status"] == 3
    assert one.wait(second)["outcome"] == "lost"
    assert one.wait(third)["exit_status"] == 3
    assert log(one) == [first, second, third]


@pytest.mark.parametrize(("words", "outcome"), [((), "lost"), (("--requeue",), "succeeded")])
def test_after_a_loss_of_power_it_is_known_to_have_begun(
    one: Shell, words: tuple[str, ...], outcome: str
) -> None:
    first = one.submit("1", "while [ ! -e go ]; do sleep 0.01; done")
    line = "echo $HSCHED_ATTEMPT >> log; [ $HSCHED_ATTEMPT = 2 ] || sleep 1000"
    second = one.submit("1", *words, line)
    until_laid_out(one)
    broker = deafen(one)
    (one.folder / "go").touch()
    one.until(lambda: log(one) == ["1"], "the second runs")
    os.kill(broker, signal.SIGKILL)
    with sqlite3.connect(one.state / "default/hsched.db") as store:
        rows = dict(store.execute("SELECT id >> 21, state FROM job"))
    store.close()
    assert rows == {int(first): "starting", int(second): "pending"}
    lose_power(one)
    assert one.wait(second)["outcome"] == outcome
    assert log(one) == (["1", "2"] if words else ["1"])


def test_a_stopped_shim_takes_what_is_next_when_it_goes_on(one: Shell) -> None:
    """Meanwhile the broker answers, and takes back what was laid out."""
    first, second = one.submit("1", LINE), one.submit("1", SHORT)
    until_laid_out(one)
    os.kill(one.pid(f"hsched-shim {first}$"), signal.SIGSTOP)
    (one.folder / "go").touch()
    assert one.job(first)["state"] == "running"
    third = one.submit("1", SHORT)
    os.kill(one.pid(f"hsched-shim {first}$"), signal.SIGCONT)
    assert [one.wait(job)["exit_status"] for job in (first, second, third)] == [3, 3, 3]
    assert log(one) == [first, second, third]


def test_a_successor_knows_its_slots_whatever_the_user_set(one: Shell) -> None:
    """Both what the job before it had set, and what it has set itself."""
    tell = "echo $HSCHED_JOB_ID $QUEUE0 >> log; grep -cz ^QUEUE0= /proc/self/environ >> log"
    first = one.submit("1", "--env", "QUEUE0=x", "while [ ! -e go ]; do sleep 0.01; done")
    second = one.submit("1", tell)
    third = one.submit("1", "--env", "QUEUE0=mine", tell)
    fourth = one.submit("1", tell, env={"QUEUE0": "inherited"})
    until_laid_out(one, 2)
    (one.folder / "go").touch()
    one.wait(fourth)
    assert (one.folder / "log").read_text().split("\n")[:-1] == [
        *(f"{second} 0", "1"),
        *(f"{third} mine", "1"),
        *(f"{fourth} 0", "1"),
    ]
    assert first


def test_its_first_process_is_told(one: Shell) -> None:
    one.submit("1", LINE)
    second = one.submit("1", "echo $$ >> pid; exec sleep 1000")
    until_laid_out(one)
    (one.folder / "go").touch()
    pid = int(one.written("pid"))
    one.until(lambda: one.job(second)["pid"] == pid, "it is told")


def test_what_follows_is_run_for_each_of_several_that_ended_at_once(shell: Shell) -> None:
    shell.ok("hstart", "2", "--on-done", "echo $HSCHED_DONE_ID >> done")
    jobs = [shell.submit("1", LINE) for _ in range(2)] + [shell.submit("1", SHORT) for _ in "1234"]
    until_laid_out(shell, 2)
    broker = deafen(shell)
    (shell.folder / "go").touch()
    until_over(shell, jobs[2])
    until_over(shell, jobs[3])
    os.kill(broker, signal.SIGCONT)
    for job in jobs:
        shell.wait(job)
    done = shell.folder / "done"
    shell.until(lambda: done.exists() and sorted(done.read_text().split()) == jobs, "all are told")


def test_jobs_of_several_kinds_that_end_at_once_are_all_taken_in(shell: Shell) -> None:
    shell.ok("hstart", "4")
    wide, narrow = shell.submit("2", LINE), shell.submit("1", LINE)
    again = shell.submit("1", "--retries", "1", LINE)
    behind = [shell.submit("1", SHORT) for _ in range(3)]
    until_laid_out(shell, 2)
    broker = deafen(shell)
    (shell.folder / "go").touch()
    shell.until(lambda: not shell.pids("while . ! -e go"), "all of the first are over")
    os.kill(broker, signal.SIGCONT)
    jobs = [wide, narrow, again, *behind]
    assert [shell.wait(job)["exit_status"] for job in jobs] == [3] * 6
    assert sorted(log(shell)) == sorted([*jobs, again])
    assert shell.broker_pid() == broker


def test_short_jobs_run_once_each_and_alone_on_their_slot_while_brokers_die(shell: Shell) -> None:
    shell.ok("hstart", "2")
    line = "mkdir $QUEUE0 || echo $0 >> bad; echo $HSCHED_JOB_ID >> log; rmdir $QUEUE0"
    streams = "--out /dev/null --err /dev/null"
    jobs = shell.sh(f"seq 150 | hsubmit 1 {streams} --each - sh -c '{line}' {{}}").split()
    for done in range(20, 120, 20):
        shell.until(partial(_have_run, shell, done), "some have run")
        deafen(shell)
        shell.kill_broker()
        shell.ok("hstatus")
    shell.ok("hwait", f"1-{jobs[-1]}")
    assert sorted(log(shell), key=int) == jobs
    assert not (shell.folder / "bad").exists()
    assert {job["outcome"] for job in shell.jobs("--all")} == {"succeeded"}
