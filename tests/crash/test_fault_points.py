"""`kill -9` of the broker at every step: the end is the same as without.

The list of steps is what an undisturbed run passes; each is then a test of its own
run, in which the broker dies exactly there and the next request brings it back.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hsched import Client, JobSpec
from tests.e2e.shell import DEADLINE_S, Shell

ROOT = Path(__file__).parents[2]

#: At least as many steps as the scenario passes; the fixture checks that.
STEPS = 50

CHECKPOINTS = {"before commit", "after commit", "after replies", "before start", "after start"}


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
        try:
            yield passed
        finally:
            broker.kill()


def play(shell: Shell) -> list[Any]:
    """Submit, depend in every way, fail, kill, fill the slots; return all that can be told."""
    with Client(timeout=DEADLINE_S) as client:
        names = "abcdef"
        ids: dict[str, str] = {}

        def submit(name: str, slots: int, *dependencies: str, then: str = "") -> None:
            line = f"echo {name} >> log; {then}"
            edges = (edge.split() for edge in dependencies)
            words = tuple(f"{kind}:{ids[upstream]}" for kind, upstream in edges)
            spec = JobSpec(slots=str(slots), shell=line, dependencies=words)
            ids[name] = client.submit(spec).id

        submit("a", 2)
        submit("b", 1, "afterok a", then="exit 3")
        submit("c", 1, "afterok b")
        submit("d", 1, "afternotok b")
        submit("e", 1, then="exec sleep 1000")
        shell.until(lambda: has_run(shell, client, "e"), "e runs")
        client.kill([ids["e"]])
        submit("f", 2, "afterany c", "afterany d", "afterany e")
        client.wait([ids["f"]], timeout=DEADLINE_S)
        views = [next(client.jobs(ids[name], scope="all")) for name in names]
        (cores,) = client.slots()
    told = [(v.id, v.state, v.outcome, v.exit_status, v.signal, v.attempt) for v in views]
    return [ids, told, Counter((shell.folder / "log").read_text().split()), cores.free]


def has_run(shell: Shell, client: Client, name: str) -> bool:
    """Whether a job has written its name; asking is what brings a dead broker back."""
    list(client.jobs())
    log = shell.folder / "log"
    return log.exists() and name in log.read_text().split()


@pytest.fixture
def home(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A terminal whose state, folder and environment this process shares."""
    for name, value in shell.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(shell.folder)
    return shell


@pytest.fixture(scope="module")
def undisturbed() -> list[Any]:
    """What the scenario comes to when nothing is killed."""
    shell = Shell()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in shell.env.items():
            patch.setenv(name, value)
        patch.chdir(shell.folder)
        try:
            with faulty_broker(shell, 0) as passed:
                result = play(shell)
                steps = passed.read_text().splitlines()
        finally:
            shell.close()
    assert {line.split(" ", 1)[1] for line in steps} == CHECKPOINTS
    assert len(steps) <= STEPS, "raise STEPS, so that every step is tried"
    return result


@pytest.mark.parametrize("fatal", range(1, STEPS + 1))
def test_a_broker_killed_at_any_step_changes_nothing(
    undisturbed: list[Any], home: Shell, fatal: int
) -> None:
    with faulty_broker(home, fatal):
        assert play(home) == undisturbed


def test_a_command_whose_broker_dies_before_the_reply_prints_one_id() -> None:
    for fatal in range(4, 9):  # around the first submission
        terminal = Shell()
        try:
            with faulty_broker(terminal, fatal):
                assert terminal.sh("id=$(hsubmit 1 'echo ran >> log'); echo $id") == "1"
                assert terminal.wait("1")["outcome"] == "succeeded"
                assert (terminal.folder / "log").read_text() == "ran\n"
                assert [job["id"] for job in terminal.jobs("--all")] == ["1"]
        finally:
            terminal.close()
