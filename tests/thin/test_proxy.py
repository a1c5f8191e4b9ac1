"""The thin client stands in for its command: signals, terminal, streams, death."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.painted import Painted
from tests.e2e.shell import DEADLINE_S, is_alive, state_of
from tests.thin.conftest import Terminal


class Waiting:
    """A thin hsubmit whose command waits until somebody writes to a named pipe."""

    def __init__(self, warm: Terminal, **options: Any) -> None:
        self.terminal = warm
        self.fifo = warm.folder / f"fifo{time.monotonic_ns()}"
        os.mkfifo(self.fifo)
        self.process = subprocess.Popen(
            ["hsubmit", "0", "--each", self.fifo.name],
            cwd=warm.folder,
            env=warm.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **options,
        )
        self.writer, self.child = find_child(warm, self.fifo)

    def end(self) -> tuple[bytes, bytes, int]:
        """Wait for the end; return output, errors and status."""
        out, err = self.process.communicate(timeout=DEADLINE_S)
        return out, err, self.process.returncode


def find_child(warm: Terminal, fifo: Path) -> tuple[int, int]:
    """Return the end of a pipe that the one command that runs waits for, and its pid."""
    writer = warm.until(lambda: open_writer(fifo), "the command has opened its file")
    (child,) = warm.until(warm.children, "the command runs")
    return int(writer), int(child)


def open_writer(fifo: Path) -> int | None:
    """Return the writing end of a named pipe, where a reader has opened it."""
    try:
        return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None


@pytest.fixture
def waiting(warm: Terminal) -> Iterator[Waiting]:
    one = Waiting(warm)
    yield one
    one.process.kill()
    one.process.communicate()
    os.close(one.writer)
    warm.until(lambda: not is_alive(one.child), "the command is gone")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_reaches_the_command_and_both_die_of_it(
    waiting: Waiting, number: signal.Signals
) -> None:
    waiting.process.send_signal(number)
    assert waiting.end() == (b"", b"", -number)
    waiting.terminal.until(lambda: not is_alive(waiting.child), "the command is gone")


def test_what_kills_the_command_kills_the_client(waiting: Waiting) -> None:
    os.kill(waiting.child, signal.SIGKILL)
    assert waiting.end() == (b"", b"", -signal.SIGKILL)


def test_the_command_dies_with_the_client(waiting: Waiting) -> None:
    waiting.process.kill()
    waiting.terminal.until(lambda: not is_alive(waiting.child), "the command is gone")


def test_ignored_signals_stay_ignored(warm: Terminal) -> None:
    waiting = Waiting(warm, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    waiting.process.send_signal(signal.SIGINT)
    os.kill(waiting.child, signal.SIGINT)
    os.close(waiting.writer)
    assert waiting.end() == (b"", b"hsubmit: no line was given, and no job queued\n", 0)


class Screen:
    """A pseudo-terminal with a shell that has job control."""

    def __init__(self, warm: Terminal) -> None:
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.chdir(warm.folder)
            os.execve("/bin/bash", ["bash", "--norc", "-i"], {**warm.env, "PS1": "ready> "})
        self.shown = b""
        self.read_until("ready> ")

    def type(self, keys: str) -> None:
        """Type on the keyboard."""
        self.shown = b""
        os.write(self.master, keys.encode())

    def read_until(self, text: str) -> str:
        """Read the screen until ``text`` stands there."""
        deadline = time.monotonic() + DEADLINE_S
        while text.encode() not in self.shown:
            left = deadline - time.monotonic()
            assert left > 0, f"no {text!r} in {self.shown!r}"
            if select.select([self.master], [], [], left)[0]:
                self.shown += os.read(self.master, 65536)
        return self.shown.decode(errors="replace")

    def close(self) -> None:
        """Hang up."""
        os.kill(self.pid, signal.SIGKILL)
        os.close(self.master)
        os.waitpid(self.pid, 0)


@pytest.fixture
def screen(warm: Terminal) -> Iterator[Screen]:
    os.mkfifo(warm.folder / "lines")
    one = Screen(warm)
    yield one
    one.close()
    (warm.folder / "lines").unlink()
    warm.until(lambda: not warm.children(), "all commands are gone")


def test_control_c_ends_it(warm: Terminal, screen: Screen) -> None:
    screen.type("hsubmit 0 --each lines\n")
    writer, child = find_child(warm, warm.folder / "lines")
    screen.type("\x03")
    screen.read_until("ready> ")
    screen.type("echo status $?\n")
    screen.read_until("status 130")
    warm.until(lambda: not is_alive(child), "the command is gone")
    os.close(writer)


def test_control_z_stops_it_and_fg_continues(warm: Terminal, screen: Screen) -> None:
    screen.type("hsubmit 0 --each lines\n")
    writer, child = find_child(warm, warm.folder / "lines")
    screen.type("\x1a")
    screen.read_until("Stopped")
    warm.until(lambda: state_of(child) == "T", "the command is stopped")
    screen.type("fg\n")
    warm.until(lambda: state_of(child) == "S", "the command goes on")
    os.write(writer, b"true\n")
    os.close(writer)
    screen.read_until("ready> ")
    screen.type("echo status $?\n")
    screen.read_until("status 0")


def test_a_table_is_as_wide_as_the_terminal(warm: Terminal, screen: Screen) -> None:
    warm.submit("--hold", "0", "x" * 200)
    warm.plain_commands()
    screen.type("stty cols 70; hjobs; echo do''ne\n")
    table = screen.read_until("done")
    rows = [line for line in table.splitlines() if "xxx" in line]
    assert rows
    assert max(map(len, rows)) <= 90  # with escapes
    assert warm.plain_commands() == []
    warm.ok("hkill", "--all")


def test_a_table_that_is_watched_follows_the_window(warm: Terminal) -> None:
    job = warm.submit("--hold", "0", "x" * 200)
    warm.plain_commands()
    with Painted(warm, "hjobs", "--watch", size=(70, 6)) as seen:
        seen.sees("pending", "…")
        for _ in range(2):  # for it is drawn a second time without a cause
            seen.resize(300, 6)
            seen.sees("x" * 200)
            seen.resize(70, 6)
            seen.sees("pending", "…")
        warm.ok("hkill", job)
        seen.sees("no jobs found")
        seen.type("\x03")
        assert seen.ends() == -signal.SIGINT
    assert warm.plain_commands() == []


def test_schedulers_are_watched_by_the_warm_process(warm: Terminal) -> None:
    warm.plain_commands()
    with Painted(warm, "hstatus", "--watch") as seen:
        seen.sees("NAME", "default", absent=("lab",))
        warm.ok("hstart", "-n", "lab", "1")
        seen.sees("default", "lab")
        warm.ok("hstop", "-n", "lab")
        seen.sees("default", absent=("lab",))
        seen.type("\x03")
        assert seen.ends() == -signal.SIGINT
    assert "hstatus" not in " ".join(warm.plain_commands())


def test_a_window_of_another_size_does_not_end_a_command(warm: Terminal) -> None:
    waiting = Waiting(warm)
    waiting.process.send_signal(signal.SIGWINCH)
    os.close(waiting.writer)
    assert waiting.end() == (b"", b"hsubmit: no line was given, and no job queued\n", 0)


def test_a_pipe_closed_early_is_status_141(warm: Terminal) -> None:
    line = "hsubmit --help >/dev/null; (sleep 0; hjobs --help; echo $? >&2) | :"
    found = set()

    def look() -> bool:
        found.add(warm.run("/bin/sh", "-c", line).stderr)
        return "141\n" in found

    warm.until(look, "the reader was gone first")
    assert found <= {"141\n", "0\n"}


def test_two_hundred_at_once_are_all_done_once(warm: Terminal) -> None:
    warm.plain_commands()
    before = len(warm.jobs())
    line = "for i in $(seq 200); do hsubmit --hold 0 true & done; wait"
    ids = warm.ok("/bin/sh", "-c", line).split()
    assert len(set(ids)) == 200
    assert len(warm.jobs()) == before + 200
    warm.ok("hkill", "--all")
    warm.until(lambda: not warm.children(), "all commands are gone")
