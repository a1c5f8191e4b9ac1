"""hlog: what a job has written, and what it goes on to write."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e.shell import DEADLINE_S, Shell

WAIT = "while ! test -e go; do sleep 0.02; done"


def follow(sched: Shell, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["hlog", "-f", *words], cwd=sched.folder, env=sched.env, text=True, stdout=-1, stderr=-1
    )


def line(log: subprocess.Popen[str]) -> str:
    assert log.stdout is not None
    return log.stdout.readline()


def test_out_err_and_the_last_lines(sched: Shell) -> None:
    job = sched.submit("1", "seq 5; echo bad >&2")
    sched.wait(job)
    assert sched.ok("hlog", job).split() == list("12345")
    assert sched.ok("hlog", "--last", "2", "last").split() == ["4", "5"]
    assert sched.ok("hlog", "--err", job) == "bad"
    assert sched.ok("hlog", "-f", job).split() == list("12345"), "done: there is no more"


def test_what_a_running_job_has_written_so_far(sched: Shell) -> None:
    job = sched.submit("--out", "o", "1", f"echo begun; {WAIT}")
    sched.written("o")
    assert sched.ok("hlog", job) == "begun"


def test_it_follows_to_the_end(sched: Shell) -> None:
    job = sched.submit("1", f"echo begun; {WAIT}; echo over")
    log = follow(sched, job)
    assert line(log) == "begun\n"
    (sched.folder / "go").touch()
    assert log.communicate(timeout=DEADLINE_S) == ("over\n", "")
    assert log.returncode == 0


def test_it_waits_for_the_start_and_for_folders(sched: Shell) -> None:
    job = sched.submit("--hold", "--out", "deep/%j/o", "--err", "e", "1", f"echo a; {WAIT}; echo b")
    early = sched.run("hlog", job)
    assert early.returncode == 1
    assert "job 1 is pending and has written nothing yet; `hlog -f` waits for it" in early.stderr
    log = follow(sched, job)
    sched.until(lambda: _watches(log.pid), "hlog watches")
    sched.ok("hrelease", job)
    assert line(log) == "a\n"
    (sched.folder / "go").touch()
    assert log.communicate(timeout=DEADLINE_S)[0] == "b\n"


def test_it_follows_over_a_kill_of_the_broker(sched: Shell) -> None:
    job = sched.submit("1", f"echo begun; {WAIT}; echo over")
    log = follow(sched, job)
    assert line(log) == "begun\n"
    sched.kill_broker()
    (sched.folder / "go").touch()
    assert log.communicate(timeout=DEADLINE_S)[0] == "over\n"


def test_a_truncated_file_begins_again(sched: Shell) -> None:
    job = sched.submit("--out", "o", "1", f"echo long line; {WAIT}; : >o; echo x >>o; {WAIT}")
    log = follow(sched, job)
    assert line(log) == "long line\n"
    (sched.folder / "go").touch()
    assert log.communicate(timeout=DEADLINE_S)[0] == "x\n"


@pytest.mark.parametrize("words", [["1"], ["-f", "1"]])
def test_a_job_that_never_ran(sched: Shell, words: list[str]) -> None:
    sched.ok("hkill", sched.submit("--hold", "1", "true"))
    done = sched.run("hlog", *words)
    assert (done.returncode, done.stdout) == (1, "")
    assert "job 1 has written nothing: it never ran (cancelled" in done.stderr


def test_what_is_no_file_or_not_there(sched: Shell) -> None:
    os.mkfifo(sched.folder / "pipe")
    sched.submit("--hold", "--out", "pipe", "1", "true")
    assert "is no plain file" in sched.run("hlog", "1").stderr
    sched.wait(sched.submit("--out", "o", "1", "true"))
    (sched.folder / "o").unlink()
    assert "which is not there" in sched.run("hlog", "2").stderr
    sched.submit("--hold", "--array", "0-3", "1", "true")
    several = sched.run("hlog", "3")
    assert several.stderr == "hlog: 3 means several jobs; name one, such as 3.0\n"
    assert "no such job found: 9" in sched.run("hlog", "9").stderr


def test_an_older_run(sched: Shell) -> None:
    sched.wait(sched.submit("1", "echo old"))
    run = sched.job("1")["run"]
    sched.ok("hstop")
    assert sched.ok("hlog", "1") == "old", "of a scheduler that was stopped"
    sched.ok("hstart", "2")
    assert sched.ok("hlog", "--run", run, "1") == "old"


def _watches(pid: int) -> bool:
    """Whether a process has an inotify descriptor with a watch, and is connected."""
    for path in Path(f"/proc/{pid}/fdinfo").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed since it was listed
            if "inotify wd" in path.read_text():
                return True
    return False
