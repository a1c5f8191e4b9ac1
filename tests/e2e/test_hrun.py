"""hrun: a job in the foreground, and what becomes of it when somebody is killed."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.shell import DEADLINE_S, Shell, is_alive, state_of


@pytest.fixture
def cores(shell: Shell) -> Shell:
    """A terminal with a scheduler of two cores."""
    shell.ok("hstart", "2")
    return shell


@contextmanager
def hrun(shell: Shell, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Start hrun in the background, in a session of its own."""
    with subprocess.Popen(
        ["hrun", *words],
        cwd=shell.folder,
        env=shell.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def running(shell: Shell, path: str = "ready") -> int:
    """Wait until a command has written its pid, and return that."""
    return int(shell.written(path))


def queued(shell: Shell, identity: str) -> None:
    """Wait until a job is there."""
    shell.until(lambda: shell.run("hjobs", identity).returncode == 0, f"{identity} is queued")


def free(shell: Shell) -> str:
    return shell.ok("hnslots", "free")


# The command


def test_a_command_runs_here_and_is_a_job(cores: Shell) -> None:
    shown = cores.run(
        *("hrun", "1", "--job-name", "cat", "--env", "FOO=bar", "sh", "-c"),
        'cat; echo "$QUEUE0 $FOO $HSCHED_JOB_ID $PWD" >&2; exit 3',
        input="typed",
    )
    assert (shown.returncode, shown.stdout) == (3, "typed")
    assert shown.stderr == f"0 bar 1 {cores.folder}\n"
    job = cores.job("1")
    assert (job["outcome"], job["exit_status"], job["name"]) == ("failed", 3, "cat")
    assert job["out"] is None
    assert job["cpu_s"] > 0
    assert free(cores) == "2"


STATUSES: list[tuple[list[str], int, str]] = [
    (["1", "-c", "kill -9 $$"], 137, ""),
    (["1", "nowhere"], 127, "hrun: cannot start nowhere: No such file or directory"),
    (["1", "/etc"], 126, "hrun: cannot start /etc: Permission denied"),
    (["--time", "0.2", "1", "sleep", "1000"], 124, "hrun: job 4: timed out"),
    (["3", "true"], 2, "hrun: `3`: no 3 cores; there is cores=2"),
    (["--dep", "7", "1", "true"], 125, "hrun: dependency: couldn't find job 7"),
    (["-n", "none", "1", "true"], 125, "hrun: scheduler none: bad state or not running"),
    (["--dep", "afterok:1", "1", "touch", "ran"], 125, "hrun: job 5: dependency failed"),
]


def test_the_exit_status_tells_what_happened(cores: Shell) -> None:
    for words, status, said in STATUSES:
        done = cores.run("hrun", *words)
        assert done.returncode == status
        assert done.stderr.startswith(said)
        assert done.stderr.count("\n") == bool(said)
    assert free(cores) == "2"
    assert os.listdir(cores.folder) == []


def test_it_waits_for_its_turn(cores: Shell) -> None:
    os.mkfifo(cores.folder / "go")
    cores.submit("2", "read x <go")
    with hrun(cores, "1", "echo", "ran") as waiting:
        queued(cores, "2")
        assert cores.job("2")["state"] == "pending"
        cores.sh("echo >go")
        assert waiting.communicate(timeout=DEADLINE_S) == ("ran\n", "")


def test_what_is_left_at_the_end_is_ended(cores: Shell) -> None:
    line = "trap '' TERM; setsid sleep 1000 & echo $! >ready"
    assert cores.run("hrun", "--grace", "0.1", "1", "-c", line).returncode == 0
    assert not is_alive(running(cores))
    assert cores.job("1")["tree_left"] == "ended"


def test_children_may_be_left(cores: Shell) -> None:
    line = "sleep 1000 >/dev/null 2>&1 & echo $! >ready"
    assert cores.run("hrun", "--leave-children", "1", "-c", line).returncode == 0
    assert is_alive(running(cores))
    assert (cores.job("1")["tree_left"], free(cores)) == ("running", "2")


def test_it_keeps_descriptors_and_the_environment_of_its_caller(cores: Shell) -> None:
    line = "FROM=here hrun 1 sh -c 'echo $FROM >&7' 7>seven"
    cores.sh(line)
    assert (cores.folder / "seven").read_text() == "here\n"


# The end


def test_hkill_ends_the_command_and_hrun_says_so(cores: Shell) -> None:
    with hrun(cores, "1", "-c", "sleep 1000 & echo $! >ready; wait") as process:
        sleeping = running(cores)
        cores.ok("hkill", "1")
        assert not is_alive(sleeping)
        assert process.wait(DEADLINE_S) == 125
        assert process.communicate()[1] == "hrun: job 1: cancelled (hkill)\n"
    assert (cores.job("1")["outcome"], free(cores)) == ("cancelled", "2")


def test_hkill_of_a_waiting_one(cores: Shell) -> None:
    cores.submit("2", "sleep", "1000")
    with hrun(cores, "1", "touch", "ran") as process:
        queued(cores, "2")
        cores.ok("hkill", "2")
        assert process.wait(DEADLINE_S) == 125
    assert not (cores.folder / "ran").exists()


def test_hsuspend_stops_it_and_hresume_lets_it_end(cores: Shell) -> None:
    os.mkfifo(cores.folder / "go")
    with hrun(cores, "1", "-c", "echo $$ >ready; read x <go; exit 4") as process:
        pid = running(cores)
        cores.ok("hsuspend", "1")
        cores.until(lambda: state_of(pid) == state_of(process.pid) == "T", "both are stopped")
        cores.ok("hresume", "1")
        cores.until(lambda: "T" not in (state_of(pid), state_of(process.pid)), "both go on")
        cores.sh("echo >go")
        assert process.wait(DEADLINE_S) == 4


def test_a_signal_is_passed_on(cores: Shell) -> None:
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGUSR1):
        (cores.folder / "ready").unlink(missing_ok=True)
        trap = f"trap 'echo got; exit 5' {number.name[3:]}"
        with hrun(cores, "1", "-c", f"{trap}; echo $$ >ready; while :; do sleep 0.1; done") as one:
            running(cores)
            one.send_signal(number)
            assert one.communicate(timeout=DEADLINE_S)[0] == "got\n"
            assert one.returncode == 5


def test_a_signal_that_ends_the_command_ends_hrun_in_the_same_way(cores: Shell) -> None:
    with hrun(cores, "1", "-c", "echo $$ >ready; exec sleep 1000") as process:
        running(cores)
        process.terminate()
        assert process.wait(DEADLINE_S) == -signal.SIGTERM
    assert cores.job("1")["signal"] == signal.SIGTERM


# Whoever is killed


def test_when_hrun_is_killed_its_tree_is_ended(cores: Shell) -> None:
    line = "setsid sleep 1000 & echo $! >ready; exec sleep 1000"
    with hrun(cores, "1", "-c", line) as process:
        pid = running(cores)
        process.kill()
        job = cores.wait("1")
    assert not is_alive(pid)
    assert (job["outcome"], job["reason"]) == ("cancelled", "its hrun was killed")
    assert free(cores) == "2"


def test_a_tree_that_minds_nothing_is_killed_after_its_grace(cores: Shell) -> None:
    line = "trap '' TERM; echo $$ >ready; while :; do sleep 0.1; done"
    with hrun(cores, "--grace", "0.2", "1", "-c", line) as process:
        pid = running(cores)
        process.kill()
        assert cores.wait("1")["outcome"] == "cancelled"
    assert not is_alive(pid)


def test_a_killed_hrun_that_waits_leaves_the_queue(cores: Shell) -> None:
    cores.submit("2", "sleep", "1000")
    with hrun(cores, "1", "touch", "ran") as process:
        queued(cores, "2")
        process.kill()
        assert cores.wait("2")["outcome"] == "cancelled"
    cores.ok("hkill", "1")
    assert not (cores.folder / "ran").exists()


def test_a_killed_broker_does_not_disturb_it(cores: Shell) -> None:
    os.mkfifo(cores.folder / "go")
    with hrun(cores, "2", "-c", "echo $$ >ready; read x <go; exit 6") as process:
        running(cores)
        cores.kill_broker()
        assert free(cores) == "0"
        cores.sh("echo >go")
        assert process.wait(DEADLINE_S) == 6
        assert cores.job("1")["exit_status"] == 6
        assert free(cores) == "2"


def test_one_that_waits_outlives_the_broker_and_runs_once(cores: Shell) -> None:
    os.mkfifo(cores.folder / "go")
    cores.submit("2", "read x <go")
    with hrun(cores, "2", "-c", "echo ran >>log") as process:
        queued(cores, "2")
        cores.kill_broker()
        cores.sh("echo >go")
        assert process.wait(DEADLINE_S) == 0
    assert (cores.folder / "log").read_text() == "ran\n"


@pytest.mark.parametrize("state", ["running", "pending"])
def test_both_are_killed(cores: Shell, state: str) -> None:
    if state == "pending":
        cores.submit("2", "sleep", "1000")
    identity = "2" if state == "pending" else "1"
    with hrun(cores, "1", "-c", "setsid sleep 1000 & echo $! >ready; wait") as process:
        queued(cores, identity)
        pid = running(cores) if state == "running" else 0
        cores.kill_broker()
        process.kill()
        process.wait()
        assert cores.wait(identity)["outcome"] == "cancelled"
    assert not pid or not is_alive(pid)


def test_hstop_force_ends_it(cores: Shell) -> None:
    with hrun(cores, "1", "-c", "echo $$ >ready; exec sleep 1000") as process:
        running(cores)
        cores.ok("hstop", "--force")
        assert process.wait(DEADLINE_S) == 125


def test_an_end_is_told_to_nobody_where_the_scheduler_was_removed(cores: Shell) -> None:
    os.mkfifo(cores.folder / "go")
    with hrun(cores, "1", "-c", "echo $$ >ready; read x <go; exit 6") as process:
        running(cores)
        cores.kill_broker()
        (cores.state / "default" / "address").unlink()
        cores.sh("echo >go")
        said = process.communicate(timeout=DEADLINE_S)[1]
        assert process.returncode == 6
        assert said.startswith("hrun: the end of job 1 could not be told: ")


def test_one_that_waits_while_the_scheduler_is_drained(cores: Shell) -> None:
    os.mkfifo(cores.folder / "go")
    cores.submit("2", "read x <go")
    with hrun(cores, "1", "touch", "ran") as process:
        queued(cores, "2")
        cores.ok("hstop", "--drain")
        assert "being drained" in cores.run("hrun", "0", "true").stderr
        cores.sh("echo >go")
        assert "bad state or not running" in process.communicate(timeout=DEADLINE_S)[1]
        assert process.returncode == 125
    cores.ok("hstart", "--continue")
    assert cores.wait("2")["outcome"] == "cancelled"
    assert not (cores.folder / "ran").exists()


def test_hrerun_and_hadopt_leave_it_alone(cores: Shell) -> None:
    os.mkfifo(cores.folder / "go")
    with hrun(cores, "1", "-c", "echo $$ >ready; read x <go") as process:
        pid = running(cores)
        assert "part of a job already" in cores.run("hadopt", str(pid), "1").stderr
        cores.sh("echo >go")
        process.wait(DEADLINE_S)
    assert "is of kind foreground" in cores.run("hrerun", "1").stderr
    assert "there is no log of it here" in cores.run("hlog", "1").stderr
