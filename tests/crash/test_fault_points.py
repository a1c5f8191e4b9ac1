"""`kill -9` of the broker at every step: the end is the same as without.

The list of steps is what an undisturbed run passes; each is then a test of its own
run, in which the broker dies exactly there and the next command brings it back.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.shell import Shell

ROOT = Path(__file__).parents[2]

#: Submission, dispatch, dependencies of each kind, a failure, a kill, a full queue.
SCENARIO = """
a=$(hsubmit 2 'echo a >> log')
b=$(hsubmit --dep afterok:$a 1 'echo b >> log; exit 3')
c=$(hsubmit --dep afterok:$b 1 'echo c >> log')
d=$(hsubmit --dep afternotok:$b 1 'echo d >> log')
e=$(hsubmit 1 'touch up; sleep 1000')
while [ ! -e up ]; do hjobs > jobs; done
hkill $e
f=$(hsubmit --dep $c,$d,$e 2 'echo f >> log')
echo $a $b $c $d $e $f
"""


@contextlib.contextmanager
def faulty_broker(shell: Shell, fatal: int) -> Iterator[Path]:
    """Run a broker that dies at checkpoint ``fatal``; yield the file that counts them."""
    passed = shell.home / "passed"
    env = {**shell.env, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.crash.faulty_broker", "default", "2"]
    with subprocess.Popen([*command, str(passed), str(fatal)], env=env, cwd=ROOT) as broker:
        address = shell.state / "default/address"
        shell.until(lambda: address.exists() or broker.poll() is not None, "the broker is up")
        if not address.exists():  # it died on its way up, and hstart would have said so
            shell.ok("hstart", "2")
        yield passed
        broker.kill()


def play(shell: Shell) -> list[Any]:
    """Run the scenario to its end and return all that a user can tell of it."""
    ids = shell.sh(SCENARIO).split()
    shell.wait(ids[-1])
    seen = [shell.job(one) for one in ids]
    keys = ("id", "state", "outcome", "exit_status", "signal", "attempt", "name", "command")
    told = [[job[key] for key in keys] for job in seen]
    log = sorted((shell.folder / "log").read_text().split())
    return [ids, told, log, shell.jobs(), shell.ok("hnslots", "free")]


def steps() -> int:
    """Return how many steps an undisturbed run passes, at the least."""
    return int(os.environ.get("HSCHED_FAULT_STEPS", "48"))


@pytest.fixture(scope="module")
def undisturbed() -> list[Any]:
    """What the scenario comes to when nothing is killed."""
    shell = Shell()
    try:
        with faulty_broker(shell, 0) as passed:
            result = play(shell)
            assert {line.split(" ", 1)[1] for line in passed.read_text().splitlines()} == {
                "before commit",
                "after commit",
                "after replies",
                "before start",
                "after start",
            }
        return result
    finally:
        shell.close()


@pytest.mark.parametrize("fatal", range(1, steps() + 1))
def test_a_broker_killed_at_any_step_changes_nothing(
    shell: Shell, undisturbed: list[Any], fatal: int
) -> None:
    with faulty_broker(shell, fatal):
        assert play(shell) == undisturbed
