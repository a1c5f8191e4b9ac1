"""--jobserver: make, ninja and cargo share the slots of their job."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.e2e.shell import Shell

NINJA = Path(sys.executable).parent / "ninja"
CARGO = shutil.which("cargo")

#: Eight recipes that note when they run; the first two can only end together.
MEET = (
    "echo + >>$LOG; if mkdir met 2>/dev/null; then read x <meet; else echo >meet; fi; echo - >>$LOG"
)
NOTE = "echo + >>$LOG; sleep 0.02; echo - >>$LOG"


@pytest.fixture
def sched(shell: Shell) -> Shell:
    """A terminal with four cores, a log and a place for two recipes to meet."""
    shell.env["LOG"] = str(shell.folder / "log")
    os.mkfifo(shell.folder / "meet")
    shell.ok("hstart", "4")
    return shell


def write_makefile(folder: Path) -> None:
    """Write one whose recipes run two at once, or never end."""
    first, rest = "a b", "c d e f g h"
    meet, note = (line.replace("$", "$$") for line in (MEET, NOTE))
    folder.mkdir(exist_ok=True)
    text = f"all: {first} {rest}\n{first}:\n\t@cd ..; {meet}\n{rest}:\n\t@{note}\n"
    (folder / "Makefile").write_text(text)


def most_at_once(shell: Shell) -> int:
    """Return how many recipes ran at the same time, by their notes."""
    running = most = 0
    for line in (shell.folder / "log").read_text().splitlines():
        running += 1 if line == "+" else -1
        most = max(most, running)
    (shell.folder / "log").unlink()
    (shell.folder / "met").rmdir()
    return most


def succeeds(shell: Shell, *words: str) -> None:
    """Submit a job, and wait for its success."""
    job = shell.wait(shell.submit("--out", "out", "--err", "err", *words))
    said = (shell.folder / "err").read_text()
    assert (job["outcome"], said) == ("succeeded", ""), said


def flags(shell: Shell, *words: str) -> str:
    """Return MAKEFLAGS as a job finds it."""
    succeeds(shell, *words, 'echo "$MAKEFLAGS"')
    return (shell.folder / "out").read_text().rstrip("\n")


def test_make_runs_as_many_as_the_job_has_slots(sched: Shell) -> None:
    write_makefile(sched.folder / "one")
    succeeds(sched, "--jobserver", "2", "make", "-C", "one")
    assert most_at_once(sched) == 2


def test_sub_makes_share_them(sched: Shell) -> None:
    write_makefile(sched.folder / "one")
    (sched.folder / "two").mkdir()
    note = NOTE.replace("$", "$$")
    (sched.folder / "two/Makefile").write_text(f"all: i j k l\ni j k l:\n\t@{note}\n")
    (sched.folder / "Makefile").write_text("all: one two\none two::\n\t@$(MAKE) -s -C $@\n")
    succeeds(sched, "--jobserver", "2", "make", "-s")
    assert most_at_once(sched) == 2
    sched.ok("hrun", "--jobserver", "2", "make", "-s")
    assert most_at_once(sched) == 2


def test_tokens_of_the_killed_come_back_with_the_job(sched: Shell) -> None:
    write_makefile(sched.folder / "one")
    killer = "until [ -e b ]; do sleep 0.01; done; kill -9 $$PPID"
    text = f"all: a b\na:\n\t@{killer}\nb:\n\t@touch b; exec sleep 1000\n"
    (sched.folder / "Makefile").write_text(text)
    assert sched.wait(sched.submit("--jobserver", "2", "make"))["signal"] == 9
    succeeds(sched, "--jobserver", "2", "make", "-C", "one")
    assert most_at_once(sched) == 2


def test_old_makes_get_descriptors_and_new_ones_a_fifo(sched: Shell) -> None:
    fake = sched.home / "bin"
    fake.mkdir()
    sched.env["PATH"] = f"{fake}:{sched.env['PATH']}"
    for version, expected in (
        ("4.1", " -j3 --jobserver-fds=100,101"),
        ("4.3", " -j3 --jobserver-auth=100,101"),
        ("4.4", " -j3 --jobserver-auth=fifo:"),
        ("10.0.1", " -j3 --jobserver-auth=fifo:"),
    ):
        (fake / "make").write_text(f"#!/bin/sh\necho 'GNU Make {version}'\necho more\n")
        (fake / "make").chmod(0o755)
        assert flags(sched, "--jobserver", "3").startswith(expected)
    count = "import os; fd = os.open('$fifo', os.O_RDWR | os.O_NONBLOCK); print(os.read(fd, 99))"
    line = f'fifo=${{MAKEFLAGS##*fifo:}}; echo $fifo; {sys.executable} -c "{count}"'
    succeeds(sched, "--jobserver", "3", line)
    fifo, tokens = (sched.folder / "out").read_text().splitlines()
    assert tokens == "b'++'"
    assert not Path(fifo).exists()


def test_flags_that_were_there_stay(sched: Shell) -> None:
    sched.env["MAKEFLAGS"] = "ks -j9 --jobserver-auth=3,4 --no-print-directory"
    expected = "ks --no-print-directory -j2 --jobserver-auth=100,101"
    assert flags(sched, "--jobserver", "2") == expected
    assert sched.ok("hrun", "--jobserver", "2", "-c", 'echo "$MAKEFLAGS"') == sched.env["MAKEFLAGS"]


def test_it_is_off_unless_asked_for_and_on_for_all_by_hstart(shell: Shell) -> None:
    shell.ok("hstart", "2")
    assert flags(shell, "2") == ""
    shell.ok("hstop")
    shell.ok("hstart", "--jobserver", "mem=8G,cores=2")
    assert flags(shell, "cores=2").endswith("-j2 --jobserver-auth=100,101")
    assert flags(shell, "mem=1G") == ""
    assert "-j1 " in shell.ok("hrun", "cores=1", "-c", 'echo "$MAKEFLAGS"')


def test_a_command_that_is_not_there_says_so(sched: Shell) -> None:
    job = sched.wait(sched.submit("--jobserver", "--err", "err", "2", "nowhere"))
    assert (job["outcome"], job["exit_status"]) == ("failed", 127)
    assert "cannot start nowhere: No such file" in (sched.folder / "err").read_text()


def test_ninja_is_a_client_too(sched: Shell) -> None:
    rules = "".join(f"build {name}: {'meet' if name in 'ab' else 'note'}\n" for name in "abcdefgh")
    meet, note = (line.replace("$", "$$") for line in (MEET, NOTE))
    rules = f"rule meet\n  command = {meet}\nrule note\n  command = {note}\n{rules}"
    (sched.folder / "build.ninja").write_text(rules)
    succeeds(sched, "--jobserver", "2", str(NINJA), "--quiet")
    assert most_at_once(sched) == 2


@pytest.mark.slow
@pytest.mark.skipif(CARGO is None, reason="there is no cargo here")
def test_cargo_is_a_client_too(sched: Shell) -> None:
    names = [f"part{n}" for n in range(4)]
    for name in names:
        (sched.folder / name / "src").mkdir(parents=True)
        (sched.folder / name / "src/lib.rs").touch()
        (sched.folder / name / "build.rs").write_text(
            'fn main() { std::process::Command::new("/bin/sh").arg("-c")'
            f'.arg("cd ..; {NOTE}").status().unwrap(); }}\n'
        )
        package = f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2021"\n'
        (sched.folder / name / "Cargo.toml").write_text(package)
    (sched.folder / "Cargo.toml").write_text(f'[workspace]\nresolver = "2"\nmembers = {names}\n')
    bin_folder = Path(str(CARGO)).parent
    sched.env["PATH"] = f"{bin_folder}:{sched.env['PATH']}"
    sched.env["CARGO_HOME"] = str(sched.home / "cargo")
    if (tools := bin_folder.parents[1] / ".rustup").exists():
        sched.env["RUSTUP_HOME"] = str(tools)
    words = ["--out", "out", "--err", "err", "--jobserver", "1"]
    job = sched.wait(sched.submit(*words, "cargo", "build", "--offline", "-q"))
    assert job["outcome"] == "succeeded", (sched.folder / "err").read_text()
    (sched.folder / "met").mkdir()
    assert most_at_once(sched) == 1
