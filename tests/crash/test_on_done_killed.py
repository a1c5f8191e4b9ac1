"""`kill -9` of the broker around the end of a job with --on-done: the line runs once."""

from __future__ import annotations

import pytest

from tests.crash.test_fault_points import faulty_broker
from tests.e2e.shell import Shell

#: From the start of the job to the end of the line; a test checks that these are all.
STEPS = range(6, 16)


def play(shell: Shell) -> list[object]:
    """Run a job and what follows it; return all that can be told."""
    line = 'echo "told $HSCHED_DONE_STATUS" >>log'
    shell.submit("--on-done", line, "1", "echo ran >>log; exit 3")
    log = shell.folder / "log"
    # Asking is what brings a dead broker back.
    shell.until(lambda: shell.ok("hjobs") and log.exists() and "told" in log.read_text(), "told")
    outcomes = [shell.wait(identity)["outcome"] for identity in ("1", "2")]
    return [log.read_text(), outcomes, len(shell.jobs("--all")), shell.ok("hnslots", "free")]


UNDISTURBED: list[object] = ["ran\ntold 3\n", ["failed", "succeeded"], 2, "2"]


def test_the_steps_are_all_that_there_are(shell: Shell) -> None:
    with faulty_broker(shell, 0) as passed:
        assert play(shell) == UNDISTURBED
        steps = passed.read_text().splitlines()
    assert len(steps) < STEPS.stop, steps
    assert steps[STEPS.start - 1].endswith("before start"), steps


@pytest.mark.parametrize("fatal", STEPS)
def test_a_broker_killed_at_any_step_changes_nothing(shell: Shell, fatal: int) -> None:
    with faulty_broker(shell, fatal):
        assert play(shell) == UNDISTURBED
