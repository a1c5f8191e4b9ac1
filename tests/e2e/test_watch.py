"""hjobs --watch on a real terminal, by the thin client and in plain Python."""

from __future__ import annotations

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
