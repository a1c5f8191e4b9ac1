"""--watch on a real terminal."""

from __future__ import annotations

import os
import signal

import pytest

from tests.e2e.painted import Painted
from tests.e2e.shell import Shell


@pytest.mark.parametrize("thin", ["", "0"], ids=["thin", "plain"])
@pytest.mark.slow
def test_a_watched_table_follows_jobs_until_an_interrupt(shell: Shell, thin: str) -> None:
    shell.ok("hstart", "1")
    with Painted(shell, "hjobs", "--watch", HSCHED_THIN=thin, size=(80, 6)) as seen:
        seen.sees("no jobs found")
        shell.submit("1", "sleep", "999")
        seen.sees("ID", "running", "sleep 999", absent=("no jobs found",))
        for _ in range(8):
            shell.submit("1", "true")
        seen.sees("pending", "and 5 more")
        shell.ok("hkill", "--all")
        seen.sees("no jobs found", absent=("running", "pending"))
        seen.type("\x03")
        assert seen.ends() in (-signal.SIGINT, 130)


def test_a_watched_table_tells_that_the_scheduler_has_stopped(shell: Shell) -> None:
    shell.ok("hstart", "1")
    with Painted(shell, "hjobs", "--watch") as seen:
        seen.sees("no jobs found")
        shell.ok("hstop")
        seen.sees("hjobs: ", "not running")
        assert seen.ends() == 1


def test_a_window_of_another_size_is_drawn_anew_at_once(shell: Shell) -> None:
    shell.ok("hstart", "1")
    shell.submit("--hold", "0", "x" * 200)
    with Painted(shell, "hjobs", "--watch", size=(60, 6)) as seen:
        seen.sees("pending", "…")
        seen.resize(300, 6)
        seen.sees("x" * 200)
        seen.resize(60, 6)
        seen.sees("pending", "…")
        seen.type("\x03")
        assert seen.ends() in (-signal.SIGINT, 130)


@pytest.mark.slow
def test_schedulers_appear_change_and_vanish_while_one_watches(shell: Shell) -> None:
    with Painted(shell, "hstatus", "--watch", "-o", "name,state,running,pending") as seen:
        seen.sees("no schedulers found")
        shell.ok("hstart", "1")
        seen.sees("NAME", "default  running", absent=("no schedulers",))
        shell.ok("hstart", "-n", "lab", "2")
        seen.until(lambda: rows(seen) == [["default", "0", "0"], ["lab", "0", "0"]], "both")
        shell.submit("-n", "lab", "1", "sleep", "999")
        shell.submit("--hold", "1", "true")
        seen.until(lambda: rows(seen) == [["default", "0", "1"], ["lab", "1", "0"]], "jobs")
        shell.ok("hstop", "-n", "lab", "--force")
        seen.until(lambda: rows(seen) == [["default", "0", "1"]], "one has gone")
        shell.ok("hstop", "--force")
        seen.sees("no schedulers found", absent=("default",))
        shell.ok("hstart", "1")
        seen.until(lambda: rows(seen) == [["default", "0", "0"]], "it is back")
        seen.type("\x03")
        assert seen.ends() in (-signal.SIGINT, 130)


def rows(seen: Painted) -> list[list[str]]:
    """Return name, running and pending of each scheduler on the screen that runs."""
    return [[line[0], *line[2:]] for line in cells(seen) if line[1:2] == ["running"]]


@pytest.mark.slow
def test_a_scheduler_that_hangs_is_told_of_until_it_answers_again(shell: Shell) -> None:
    shell.ok("hstart", "1")
    shell.ok("hstart", "-n", "lab", "2")
    broker = shell.broker_pid("lab")
    os.kill(broker, signal.SIGSTOP)
    try:
        with Painted(shell, "hstatus", "--watch") as seen:
            seen.sees("not answering", "hstatus: scheduler lab did not answer in 2 s")
            shell.submit("--hold", "1", "true")
            seen.until(lambda: ["default", "1", "1", "0", "1", "0", "1"] in cells(seen), "a job")
            os.kill(broker, signal.SIGCONT)
            seen.until(lambda: ["lab", "2", "2", "0", "0", "0", "0"] in cells(seen), "lab is back")
            assert "hstatus:" not in seen.text
    finally:
        os.kill(broker, signal.SIGCONT)


def cells(seen: Painted) -> list[list[str]]:
    return [line.split() for line in seen.text.splitlines()]
