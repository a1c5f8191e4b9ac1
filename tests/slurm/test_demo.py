"""The main job: the demo runs on a cluster as it is, and leaves nothing behind."""

from __future__ import annotations

import os
import sys

import pytest

from tests.e2e.shell import DEADLINE_S, Shell
from tests.e2e.test_demo import DEMO
from tests.slurm.cluster import Cluster

_SETTINGS = "engine:\n  name: slurm\n  options: {poll: 0.1, partition: main}\n"


@pytest.mark.slow
def test_the_demo_runs_unchanged(cluster: Cluster, shell: Shell) -> None:
    settings = shell.home / ".config/hsched/settings.yaml"
    settings.parent.mkdir(parents=True)
    settings.write_text(_SETTINGS)
    shell.env |= {"TMPDIR": str(shell.folder), "PYTHON": sys.executable}
    shown = shell.ok(str(DEMO), timeout=5 * DEADLINE_S)
    assert "started demo scheduler with nslots = 6,2,32" in shown
    verified = [line for line in shown.splitlines() if line.startswith("verified ")]
    assert len(verified) == 2
    assert verified[0] == verified[1]
    seen = [line.split("=")[1] for line in shown.splitlines() if "CUDA_VISIBLE_DEVICES=" in line]
    assert len(seen) == 4
    assert set(seen) <= {"0", "1"}
    assert os.listdir(shell.folder) == []
    assert not {job[1] for job in cluster.jobs()} & {"PENDING", "RUNNING", "COMPLETING"}
