"""hrun on a terminal: keys, stops and sizes reach the command as if it were not there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.shell import Shell
from tests.e2e.terminal import Terminal

CTRL_C, CTRL_Z, CTRL_BACKSLASH = "\x03", "\x1a", "\x1c"


@pytest.fixture
def core(shell: Shell) -> Shell:
    shell.ok("hstart", "1")
    return shell


@pytest.fixture
def tty(core: Shell) -> Iterator[Terminal]:
    """A shell on a terminal, with a scheduler of one core."""
    terminal = Terminal(core)
    yield terminal
    terminal.close()


def test_keys_that_interrupt(core: Shell, tty: Terminal) -> None:
    for key, status in ((CTRL_C, 130), (CTRL_BACKSLASH, 131)):
        tty.type("hrun 1 -c 'ulimit -c 0; echo be''gun; exec sleep 1000'\n")
        tty.expect("begun")
        tty.type(key)
        tty.expect("ready> ")
        assert tty.line("echo $?") == f"{status}\n"
    assert [job["signal"] for job in core.jobs("--all")] == [2, 3]
    tty.type("for i in 1 2 3; do hrun 1 -c 'echo be''gun; exec sleep 1000'; done\n")
    tty.expect("begun")
    tty.type(CTRL_C)
    assert "begun" not in tty.expect("ready> ")  # the loop has ended as well


def test_a_command_that_handles_ctrl_c_gets_it_once(core: Shell, tty: Terminal) -> None:
    tty.type(
        # A trap interrupts the reading of some shells, and the line would be another's then.
        "hrun 1 -c 'trap \"echo int; n=x\\$n\" INT; echo be''gun; until read x; do :; done; "
        "echo n=$n; exit 9'\n"
    )
    tty.expect("begun")
    tty.type(CTRL_C)
    tty.expect("int")
    tty.type("\n")
    assert "n=x\r\n" in tty.expect("ready> ")
    assert tty.line("echo $?") == "9\n"


def test_ctrl_z_stops_and_fg_goes_on(core: Shell, tty: Terminal) -> None:
    tty.type("hrun 1 -c 'echo be''gun; read x; echo got $x'\n")
    tty.expect("begun")
    for _ in range(2):
        tty.type(CTRL_Z)
        assert "Stopped" in tty.expect("ready> ")
        assert core.job("1")["state"] == "running"
        assert core.ok("hnslots", "free") == "0"
        tty.type("fg\n")
        tty.expect("got $x'\r\n")
        tty.until_foreground()
    tty.type("hello\n")
    tty.expect("got hello")
    tty.expect("ready> ")
    assert core.job("1")["outcome"] == "succeeded"


def test_a_stopped_one_can_be_killed(core: Shell, tty: Terminal) -> None:
    tty.type("hrun 1 -c 'echo be''gun; exec sleep 1000'\n")
    tty.expect("begun")
    tty.type(CTRL_Z)
    tty.expect("ready> ")
    core.ok("hkill", "1")
    assert core.job("1")["outcome"] == "cancelled"
    tty.type("wait %1\n")
    tty.expect("hrun: job 1: cancelled (hkill)")


def test_ctrl_c_while_it_waits_takes_it_out_of_the_queue(core: Shell, tty: Terminal) -> None:
    core.submit("1", "sleep", "1000")
    tty.type("hrun 1 touch ran\n")
    core.until(lambda: core.run("hjobs", "2").returncode == 0, "it is queued")
    tty.type(CTRL_C)
    tty.expect("ready> ")
    assert tty.line("echo $?") == "130\n"
    assert core.wait("2")["outcome"] == "cancelled"
    assert not (core.folder / "ran").exists()


def test_the_size_of_the_terminal(tty: Terminal) -> None:
    assert tty.line("hrun 1 stty size") == "24 80\n"
    tty.type(
        "hrun 1 -c 'trap \"stty size; exit\" WINCH; echo be''gun; while :; do sleep 0.05; done'\n"
    )
    tty.expect("begun")
    tty.resize(40, 132)
    tty.expect("40 132")
    tty.expect("ready> ")


def test_a_reader_that_goes_away(tty: Terminal) -> None:
    shown = tty.line("hrun 1 yes | head -n 1; echo ${PIPESTATUS[@]}")
    assert shown == "y\n141 0\n"


def test_a_terminal_that_is_closed(core: Shell, tty: Terminal) -> None:
    tty.type("hrun 1 -c 'echo be''gun; exec sleep 1000'\n")
    tty.expect("begun")
    tty.close()
    assert core.wait("1")["outcome"] in ("signalled", "cancelled")
    assert core.ok("hnslots", "free") == "1"
