"""Kill means the whole tree, whatever the job does to escape."""

from __future__ import annotations

import sys

import pytest

from tests.e2e.shell import Shell

#: Forks a successor and dies, again and again; bounded, so that a bug cannot flood the machine.
RUNNER = """
import os, time
open("up", "w").close()
for step in range(20000):
    if os.fork():
        os._exit(0)
    if step % 50 == 0:
        os.setsid()
    time.sleep(0.0005)
"""

ESCAPES = {
    "double fork": "(setsid sleep 2001 &); setsid -f sleep 2002; touch up; sleep 2003",
    "cleared environment": "env -i setsid -f sleep 2001; touch up; sleep 2003",
    "ignores TERM": "trap '' TERM; touch up; while :; do sleep 0.05; done",
    "forks in a loop": f"{sys.executable} runner.py & sleep 2003",
    "stopped": "sh -c 'kill -STOP $$' & touch up; sleep 2003",
}


@pytest.mark.parametrize("line", ESCAPES.values(), ids=ESCAPES)
@pytest.mark.parametrize(
    "how", [["hkill"], ["hkill", "--kill"], ["hstop", "--force"]], ids=" ".join
)
def test_nothing_of_a_killed_job_is_left(sched: Shell, line: str, how: list[str]) -> None:
    (sched.folder / "runner.py").write_text(RUNNER)
    job = sched.submit("1", "--grace", "0.2", "--", line)
    sched.until((sched.folder / "up").exists, "the job runs")
    sched.ok(*how, *([job] if how[0] == "hkill" else []))
    assert not sched.pids("sleep 200[123]")
    assert set(sched.processes()) == _scheduler(sched, how), sched.describe()


def test_a_job_that_runs_away_from_itself_is_caught(sched: Shell) -> None:
    job = sched.submit("1", "--leave-children", "--", sys.executable, "-c", RUNNER)
    sched.until((sched.folder / "up").exists, "the job runs")
    chased = sched.submit("1", "--grace", "0", "--", sys.executable, "-c", RUNNER)
    ended = sched.wait(chased)
    assert (ended["outcome"], ended["tree_left"]) == ("succeeded", "ended")
    assert sched.job(job)["outcome"] == "succeeded"


def _scheduler(sched: Shell, how: list[str]) -> set[int]:
    """Return the broker and its nursery, where they have not been stopped."""
    if how[0] == "hstop":
        return set()
    broker = sched.broker_pid()
    nursery = sched.ok("pgrep", "-P", str(broker), "-f", "hsched-shim --nursery$")
    return {broker, int(nursery)}
