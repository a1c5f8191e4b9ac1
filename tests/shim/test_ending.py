"""How a job ends, what is left of it, and what the record says."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from hsched.native.record import Ending, Exited, Left, Signalled, Usage
from tests.shim.harness import UNTIL_GO, Held, Spawner, is_alive, until

PYTHON = (sys.executable, "-I", "-S", "-c")

#: Leaves a process that has left session, environment and parent, and ignores TERM.
LEAVE_A_DAEMON = """
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
os.execve("/bin/sh", ["sh", "-c", "echo $$ >pid; sleep 60; sleep 60"],
          {"PATH": "/usr/bin:/bin"})
"""

#: Starts a process when it gets TERM, which stops itself, and tells how that one ended.
STOPS_AFTER_TERM = """
import os, signal
def told(*_):
    child = os.fork()
    if child:
        os._exit(os.waitstatus_to_exitcode(os.wait()[1]))
    signal.signal(signal.SIGTERM, lambda *_: os._exit(7))
    os.kill(os.getpid(), signal.SIGSTOP)
    while True:
        signal.pause()
signal.signal(signal.SIGTERM, told)
open("up", "w").close()
while True:
    signal.pause()
"""

UNTIL_IT_IS_THERE = "until test -s pid; do sleep 0.01; done"


def usage(ending: Ending | None) -> Usage:
    assert isinstance(ending, Exited | Signalled), ending
    return ending.usage


def pid_in(path: Path) -> int:
    until(lambda: path.exists() and path.read_text().endswith("\n"), f"{path}")
    return int(path.read_text())


def test_a_plain_job(shim: Spawner) -> None:
    before = time.time_ns() // 1000
    held = shim.start("sh", "-c", UNTIL_GO)
    pid = held.until_running()
    (shim.folder / "go").touch()
    record = held.wait()
    assert record.started
    assert record.started.pid == held.pid
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert record.started.boot_id == boot_id
    assert record.command
    assert record.command.pid == pid
    assert record.command.start_time >= record.started.start_time > 0
    assert record.ending == Exited(0, usage(record.ending))
    assert usage(record.ending).left is Left.NOTHING
    assert before <= usage(record.ending).ended_at_us <= time.time_ns() // 1000
    assert record.tree_peak_kb is None


def test_a_record_is_text(shim: Spawner) -> None:
    held = shim.start("sh", "-c", UNTIL_GO)
    held.until_running()
    (shim.folder / "go").touch()
    held.wait()
    data = held.record_path.read_bytes()
    assert len(data) == 512
    assert data.replace(b"\0", b"").decode("ascii").count("\n") == 3


def test_identities_are_those_in_proc(shim: Spawner) -> None:
    held = shim.start("sleep", "60")
    first = held.until_running()
    for identity, pid in ((held.record.started, held.pid), (held.record.command, first)):
        assert identity
        assert identity.pid == pid
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        assert identity.start_time == int(stat[19])
    held.ask(signal.SIGKILL)
    held.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGSEGV, signal.SIGUSR1])
def test_a_signalled_job(shim: Spawner, number: int) -> None:
    ending = shim.run("sh", "-c", f"kill -{number} $$").ending
    assert ending == Signalled(number, usage(ending))


def test_usage_counts_the_whole_tree(shim: Spawner) -> None:
    burn = "import time\nwhile time.process_time() < 0.1: pass"
    used = usage(shim.run("sh", "-c", '"$@"; true', "sh", *PYTHON, burn).ending)
    assert 100_000 <= used.cpu_us < 10_000_000


def test_usage_knows_the_largest_process(shim: Spawner) -> None:
    used = usage(shim.run(*PYTHON, "b = b'x' * (40 << 20)").ending)
    assert 40 << 10 <= used.max_rss_kb < 400 << 10


def test_usage_counts_what_was_left(shim: Spawner) -> None:
    burn = "import time, os\nwhile time.process_time() < 0.1: pass\nopen('done', 'w')"
    line = '"$@" & until test -e done; do sleep 0.01; done; exit 0'
    used = usage(shim.run("sh", "-c", line, "sh", *PYTHON, burn + "\ntime.sleep(60)").ending)
    assert used.cpu_us >= 100_000
    assert used.left is Left.ENDED


def test_what_is_left_gets_term(shim: Spawner) -> None:
    line = 'trap "echo ended >trapped; exit" TERM; echo ready >ready; while :; do sleep 0.01; done'
    record = shim.run("sh", "-c", f"({line}) & until test -e ready; do sleep 0.01; done; exit 3")
    assert shim.out("trapped") == b"ended\n"
    assert record.ending == Exited(3, usage(record.ending))
    assert usage(record.ending).left is Left.ENDED


def test_the_ending_is_recorded_before_what_is_left_is_gone(shim: Spawner, tmp_path: Path) -> None:
    held = shim.start("sh", "-c", f'"$@"; {UNTIL_IT_IS_THERE}', "", *PYTHON, LEAVE_A_DAEMON)
    pid = pid_in(tmp_path / "pid")
    until(lambda: held.record.ending, "the first process")
    assert usage(held.record.ending).left is None
    assert is_alive(pid)
    assert held.is_locked()
    held.ask(signal.SIGKILL)
    assert usage(held.wait().ending).left is Left.ENDED
    assert not is_alive(pid)


@pytest.mark.parametrize("grace_ms", [0, 50])
def test_a_daemon_that_ignores_term_is_gone_before_the_shim(
    shim: Spawner, tmp_path: Path, grace_ms: int
) -> None:
    line = f'"$@"; {UNTIL_IT_IS_THERE}'
    record = shim.run("sh", "-c", line, "", *PYTHON, LEAVE_A_DAEMON, grace_ms=grace_ms)
    assert isinstance(record.ending, Exited)
    assert usage(record.ending).left is Left.ENDED
    assert not is_alive(pid_in(tmp_path / "pid"))


def test_what_is_stopped_is_ended_too(shim: Spawner, tmp_path: Path) -> None:
    record = shim.run("sh", "-c", "sleep 60 & kill -STOP $!; echo $! >pid")
    assert usage(record.ending).left is Left.ENDED
    assert not is_alive(pid_in(tmp_path / "pid"))


def test_what_is_stopped_after_the_others_were_told_is_told_too(
    shim: Spawner, tmp_path: Path
) -> None:
    """So is what was being forked when they were: nothing else can show that at will."""
    held = shim.start(*PYTHON, STOPS_AFTER_TERM)
    until((tmp_path / "up").exists, "it runs")
    os.kill(held.pid, signal.SIGTERM)
    ending = held.wait().ending
    assert ending == Exited(7, usage(ending))


def test_children_are_left_when_asked(shim: Spawner, tmp_path: Path) -> None:
    record = shim.run("sh", "-c", "sleep 60 & echo $! >pid", leave_children=True)
    assert usage(record.ending).left is Left.RUNNING
    assert is_alive(pid_in(tmp_path / "pid"))


def test_nothing_to_leave(shim: Spawner) -> None:
    assert usage(shim.run("true", leave_children=True).ending).left is Left.NOTHING


@pytest.mark.parametrize("asked", [signal.SIGTERM, 33 + signal.SIGKILL])
def test_a_kill_leaves_nothing_even_when_asked(shim: Spawner, tmp_path: Path, asked: int) -> None:
    line = "sh -c 'trap \"\" TERM; echo $$ >pid; while :; do sleep 0.01; done' & sleep 60"
    held = shim.start("sh", "-c", line, leave_children=True, grace_ms=50)
    pid = pid_in(tmp_path / "pid")
    os.kill(held.pid, asked)
    held.wait()
    assert not is_alive(pid)


def test_orphans_come_to_the_shim(shim: Spawner) -> None:
    held = shim.start("sh", "-c", "(sleep 60 &); sleep 60")
    held.until_running()
    until(lambda: _children_of(held.pid) == 2, "the orphan at the shim")
    held.ask(signal.SIGKILL)
    held.wait()


def _children_of(pid: int) -> int:
    import psutil

    return len(psutil.Process(pid).children())


def test_a_killed_shim_leaves_no_ending(shim: Spawner) -> None:
    held = shim.start("sleep", "60")
    first = held.until_running()
    assert held.is_locked()
    os.kill(held.pid, signal.SIGKILL)
    held.wait_status()
    assert held.record.ending is None
    assert not held.is_locked()
    assert is_alive(first)


def test_the_lock_is_held_as_long_as_the_shim_lives(shim: Spawner, tmp_path: Path) -> None:
    held = shim.start("sh", "-c", UNTIL_GO, leave_children=True)
    held.until_running()
    assert held.is_locked()
    (tmp_path / "go").touch()
    held.wait()
    assert not held.is_locked()


def test_the_job_does_not_inherit_the_lock(shim: Spawner, tmp_path: Path) -> None:
    held = shim.start("sh", "-c", "sleep 60 & echo $! >pid", leave_children=True)
    held.wait()
    assert is_alive(pid_in(tmp_path / "pid"))
    assert not held.is_locked()


FORK_BOMBS = {
    "doubling": "while True:\n os.fork(); time.sleep(0.01)",
    "sessions": "while True:\n if not os.fork(): os.setsid()\n time.sleep(0.01)",
    "a chain": "while True:\n if os.fork(): os._exit(0)",
    "a chain of sessions": "while True:\n if os.fork(): os._exit(0)\n os.setsid()",
}


@pytest.mark.parametrize("code", FORK_BOMBS.values(), ids=FORK_BOMBS.keys())
@pytest.mark.parametrize("asked", [signal.SIGTERM, 33 + signal.SIGKILL])
def test_what_forks_without_end_is_ended(shim: Spawner, code: str, asked: int) -> None:
    head = "import os, signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    bounded = head + code.replace("os.fork()", "forked()")
    counted = "def forked():\n if len(os.listdir('/proc')) > 400: os._exit(0)\n return os.fork()\n"
    if "chain" in code:
        counted = "forked = os.fork\n"
    held = shim.start(*PYTHON, counted + bounded, grace_ms=10)
    held.until_running()
    # A chain may have been ended before anybody looks: its first process is gone at once.
    until(lambda: _descendants(held) > 0 or held.record.ending, "the first fork")
    os.kill(held.pid, asked)
    held.wait()


def _descendants(held: Held) -> int:
    import psutil

    return len(psutil.Process(held.pid).children(recursive=True))
