"""hwait: it returns when jobs are done, with their status."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.shell import DEADLINE_S, Shell, is_alive

WAIT = "while ! test -e go; do sleep 0.02; done"


Waiting = Callable[..., "subprocess.Popen[str]"]


def status(wait: subprocess.Popen[str]) -> int:
    """Return how a command ended that must end now."""
    wait.communicate(timeout=DEADLINE_S)
    return wait.returncode


@pytest.fixture
def waiting(sched: Shell) -> Waiting:
    """Starts hwait, and returns once it sleeps until the broker tells it something."""

    def begin(*words: str) -> subprocess.Popen[str]:
        wait = start(sched, *words)
        sched.until(lambda: _sleeps(wait.pid), "hwait sleeps")
        return wait

    return begin


def _sleeps(pid: int) -> bool:
    """Whether a process is connected, and its main thread in poll(2) without a time-out."""
    try:
        call = Path(f"/proc/{pid}/syscall").read_text().split()
        links = [os.readlink(path) for path in Path(f"/proc/{pid}/fd").iterdir()]
    except FileNotFoundError:
        return False  # a descriptor was closed between the look and the next
    if len(call) < 4:
        return False  # it is running
    forever = call[0] == "7" and call[3].endswith("ffffffff")  # poll; there is also ppoll
    forever = forever or (call[0] in ("73", "271") and call[3] == "0x0")
    return forever and any(link.startswith("socket:") for link in links)


@pytest.mark.parametrize(
    ("line", "own"),
    [("true", 0), ("exit 3", 3), ("kill -KILL $$", 137)],
)
def test_the_status_is_the_jobs_own(sched: Shell, line: str, own: int) -> None:
    job = sched.submit("-c", line, "1")
    done = sched.run("hwait", job)
    assert (done.returncode, done.stdout, done.stderr) == (own, "", "")
    assert sched.run("hwait", job).returncode == own, "also of a job that is done"


def test_what_could_not_be_spawned(sched: Shell) -> None:
    (sched.folder / "data").mkdir()
    assert sched.run("hwait", sched.submit("1", "no-such-command")).returncode == 127
    assert sched.run("hwait", sched.submit("1", "./data")).returncode == 126


def test_cancelled_and_unknown(sched: Shell) -> None:
    job = sched.submit("--hold", "1", "true")
    sched.ok("hkill", job)
    assert sched.run("hwait", job).returncode == 125
    unknown = sched.run("hwait", "99")
    assert (unknown.returncode, unknown.stderr) == (125, "hwait: couldn't find job 99\n")
    assert sched.run("hwait").returncode == 2


def test_of_several_the_largest(sched: Shell) -> None:
    for own in (1, 7, 0):
        sched.submit("1", f"exit {own}")
    assert sched.run("hwait", "1", "2", "3").returncode == 7
    assert sched.run("hwait", "1", "3").returncode == 1
    assert sched.run("hwait", "1-3").returncode == 7
    array = sched.submit("--array", "0-9", "1", "exit $HSCHED_ARRAY_INDEX")
    assert sched.run("hwait", array).returncode == 9
    assert sched.run("hwait", f"{array}.4").returncode == 4


def test_all_that_is_live(sched: Shell, waiting: Waiting) -> None:
    assert sched.run("hwait", "--all").returncode == 0
    sched.wait(sched.submit("1", "exit 9"))
    sched.submit("--job-name", "x", "1", f"{WAIT}; exit 2")
    sched.submit("1", WAIT)
    both = [waiting("--all"), waiting("x")]
    (sched.folder / "go").touch()
    assert [status(wait) for wait in both] == [2, 2]


def test_any_returns_with_the_first(sched: Shell, waiting: Waiting) -> None:
    never, soon = sched.submit("1", "sleep", "1000"), sched.submit("1", f"{WAIT}; exit 5")
    waits = [waiting("--any"), waiting("--any", never, soon)]
    (sched.folder / "go").touch()
    assert [status(wait) for wait in waits] == [5, 5]


def test_the_time_is_up(sched: Shell) -> None:
    job = sched.submit("1", "sleep", "1000")
    done = sched.run("hwait", "--timeout", "0.1", job)
    assert done.returncode == 124
    assert done.stderr == "hwait: the time is up, and 1 of 1 jobs are not done\n"
    assert sched.job(job)["state"] == "running"


def test_it_survives_the_broker(sched: Shell, waiting: Waiting) -> None:
    array = sched.submit("--array", "0-3", "1", f"{WAIT}; exit 6")
    wait = waiting(array)
    sched.kill_broker()
    sched.ok("hjobs")
    (sched.folder / "go").touch()
    assert status(wait) == 6


def test_the_last_job_of_a_drained_scheduler_has_its_status(sched: Shell, waiting: Waiting) -> None:
    job = sched.submit("1", f"{WAIT}; exit 6")
    array = sched.submit("--array", "0-1", "1", f"{WAIT}; exit 7")
    spawn = sched.submit("1", "no-such-program")
    sched.until(lambda: len(sched.jobs("running")) == 3, "all run")
    held = sched.submit("--hold", "1", "true")
    waits = [waiting(job), waiting(array, job), waiting("--any", job, held), waiting(held)]
    broker = sched.broker_pid()
    sched.ok("hstop", "--drain")
    (sched.folder / "go").touch()
    sched.until(lambda: not is_alive(broker), "the broker ends")
    assert [status(wait) for wait in waits] == [6, 7, 6, 125]
    # Whoever comes later is told the same, also several at once.
    late = [start(sched, *words) for words in ([job], [array], [spawn], ["--any", job, held])]
    assert [status(wait) for wait in late] == [6, 7, 127, 6]
    for never in (held, "99"):
        told = sched.run("hwait", never)
        assert (told.returncode, "not running" in told.stderr) == (125, True)


def start(sched: Shell, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["hwait", *words], cwd=sched.folder, env=sched.env, text=True, stdout=-1, stderr=-1
    )


def test_nothing_is_said_in_a_pipe(sched: Shell, waiting: Waiting) -> None:
    wait = waiting(sched.submit("1", WAIT))
    (sched.folder / "go").touch()
    assert wait.communicate(timeout=DEADLINE_S) == ("", "")
    assert wait.returncode == 0


def test_a_bar_on_a_terminal(sched: Shell) -> None:
    sched.submit("1", "exit 1")
    sched.submit("1", WAIT)
    ours, theirs = pty.openpty()
    env = {**sched.env, "TERM": "xterm", "COLUMNS": "100"}
    wait = subprocess.Popen(
        ["hwait", "1", "2"], cwd=sched.folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    seen = b""
    while b"1/2" not in seen:
        seen += os.read(ours, 65536)
    assert b"1 failed" in seen
    (sched.folder / "go").touch()
    assert wait.wait(DEADLINE_S) == 1
    os.close(ours)
