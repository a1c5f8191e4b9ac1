"""examples/digits.py: killed in the middle, it goes on from its checkpoints."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import xml.etree.ElementTree
from pathlib import Path

import pytest

from tests.experiment.lab import Lab

EXAMPLE = Path(__file__).parents[2] / "examples" / "digits.py"
SMALL = ("--seeds", "1", "--passes", "100", "--every", "50")


@pytest.mark.slow
def test_the_example_is_killed_and_takes_up_where_it_was(lab: Lab) -> None:
    driver = lab.start(EXAMPLE, "W", *SMALL)
    first = "jobs/digits.train/*/checkpoints/0050.pickle"
    lab.until(lambda: list(lab.workspace.glob(first)), "a checkpoint is there")
    lab.kill(driver)
    killed = [path.parents[1] for path in lab.workspace.glob(first) if kill(path.parents[1])]
    lab.until(lambda: not lab.shell.jobs("--state", "running"), "they are gone")
    killed = [folder for folder in killed if not (folder / "train.done").exists()]
    words = (str(EXAMPLE), "W", *SMALL)
    said = lab.shell.ok(sys.executable, *words, cwd=lab.folder, timeout=240)
    head, *rows, last = said.splitlines()
    assert head.split() == ["passes", "linear", "network"]
    assert [row.split()[0] for row in rows] == ["50", "100"]
    accuracies = [float(word) for word in re.findall(r"\b[01]\.\d+(?= ±)", said)]
    assert len(accuracies) == 4
    assert all(0.8 < accuracy <= 1 for accuracy in accuracies)
    assert last == "plot: W/accuracy.svg"
    xml.etree.ElementTree.parse(lab.workspace / "accuracy.svg")
    for folder in killed:
        assert "resumed after 50 passes" in (folder / "train.out").read_text()


def kill(task: Path) -> bool:
    """Kill the process of a task; False where it has ended."""
    pid = json.loads((task / "__xpm__" / "process.json").read_text())["pid"]
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True
