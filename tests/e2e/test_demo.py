"""The main job: the demo does what it says, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.shell import DEADLINE_S, Shell

DEMO = Path(__file__).parents[2] / "examples" / "demo.sh"


@pytest.fixture
def demo(shell: Shell) -> Shell:
    """A terminal whose temporary folder is known, and empty."""
    shell.env["TMPDIR"] = str(shell.folder)
    shell.env["PYTHON"] = sys.executable
    return shell


@pytest.mark.slow
def test_the_demo_runs_both_pipelines_and_cleans_up(demo: Shell) -> None:
    shown = demo.ok(str(DEMO), timeout=5 * DEADLINE_S)
    assert "started demo scheduler with nslots = 6,2,32" in shown
    verified = [line for line in shown.splitlines() if line.startswith("verified ")]
    assert len(verified) == 2
    assert verified[0] == verified[1]
    seen = [line.split("=")[1] for line in shown.splitlines() if "CUDA_VISIBLE_DEVICES=" in line]
    assert sorted(seen) == ["0", "0", "1", "1"]
    assert "stopped demo scheduler" in shown
    assert os.listdir(demo.folder) == []
    assert demo.processes() == []


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_nothing_behind(demo: Shell, number: int) -> None:
    with subprocess.Popen(
        [DEMO],
        env=demo.env,
        cwd=demo.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
    ) as process:
        assert process.stdout is not None
        while "started demo" not in process.stdout.readline():
            pass
        os.killpg(process.pid, number)
        process.stdout.read()
        assert process.wait(DEADLINE_S) == 128 + number
    assert os.listdir(demo.folder) == []
    assert demo.processes() == []
