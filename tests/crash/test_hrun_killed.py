"""`kill -9` of hrun, or of the broker, at every step: once or not at all, and no slot is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from tests.crash.faulty_hrun import STEPS
from tests.crash.test_fault_points import ROOT, faulty_broker
from tests.e2e.shell import DEADLINE_S, Shell

#: At least as many steps as a broker passes in each scenario; a test checks that.
BROKER_STEPS = 14


def test_a_hrun_killed_at_any_step(shell: Shell) -> None:
    shell.ok("hstart", "1")
    env = {**shell.env, "PYTHONPATH": str(ROOT)}
    for step in STEPS:
        for moment in (f"before {step}", f"after {step}"):
            line = f'echo "{moment}" >>log; setsid sleep 1000 >/dev/null 2>&1 & exec sleep 0.1'
            faulty = [sys.executable, "-m", "tests.crash.faulty_hrun", moment]
            done = shell.run(*faulty, "--grace", "0.1", "1", "-c", line, env=env)
            assert done.returncode == -signal.SIGKILL, moment
            shell.until(lambda: shell.ok("hjobs") == "no jobs found", f"{moment}: it is gone")
            assert shell.ok("hnslots", "free") == "1", moment
            assert not [pid for pid in shell.processes() if is_sleep(pid)], moment
    # What has been told to go on has run once, the rest not at all.
    log = (shell.folder / "log").read_text().splitlines()
    must = {"before hold", "after hold", "before finish", "after finish"}
    assert set(log) >= must - {"before hold"}
    assert set(log) <= must | {"after go"}
    assert len(log) == len(set(log))
    ended = {job["outcome"] for job in shell.jobs("--all")}
    assert ended == {"cancelled", "succeeded"}  # the latter after its finish


def is_sleep(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/comm", encoding="ascii") as file:
            return file.read() == "sleep\n"
    except OSError:
        return False


def play_to_the_end(shell: Shell) -> list[Any]:
    """Have a command fail by itself; return all that can be told."""
    status = shell.run("hrun", "1", "-c", "echo ran >>log; exit 3").returncode
    return [status, *told(shell)]


def play_killed(shell: Shell) -> list[Any]:
    """Kill hrun while its command runs; return all that can be told."""
    words = ["hrun", "--grace", "0", "1", "-c", "echo ran >>log; exec sleep 1000"]
    with subprocess.Popen(
        words, env=shell.env, cwd=shell.folder, stderr=subprocess.DEVNULL
    ) as hrun:
        log = shell.folder / "log"  # asking is what brings a dead broker back
        shell.until(lambda: shell.ok("hjobs") and log.exists() and log.read_text(), "it runs")
        hrun.kill()
        status = hrun.wait(DEADLINE_S)
    return [status, *told(shell)]


def told(shell: Shell) -> list[Any]:
    job = shell.wait("1")
    log = (shell.folder / "log").read_text()
    return [job["outcome"], job["exit_status"], log, shell.ok("hnslots", "free")]


SCENARIOS = [
    (play_to_the_end, [3, "failed", 3, "ran\n", "2"]),
    (play_killed, [-9, "cancelled", None, "ran\n", "2"]),
]


@pytest.mark.parametrize(("play", "undisturbed"), SCENARIOS)
def test_the_steps_are_all_that_there_are(shell: Shell, play: Any, undisturbed: list[Any]) -> None:
    with faulty_broker(shell, 0) as passed:
        assert play(shell) == undisturbed
        steps = passed.read_text().splitlines()
    assert len(steps) <= BROKER_STEPS, steps


@pytest.mark.parametrize("fatal", range(3, BROKER_STEPS + 1))
@pytest.mark.parametrize(("play", "undisturbed"), SCENARIOS)
def test_a_broker_killed_at_any_step_changes_nothing(
    shell: Shell, play: Any, undisturbed: list[Any], fatal: int
) -> None:
    with faulty_broker(shell, fatal):
        assert play(shell) == undisturbed
    assert os.listdir(shell.state / "default" / "current" / "records") == []
