"""The guide in docs/ does what it says."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.experiment.lab import Lab

GUIDE = (Path(__file__).parents[2] / "docs" / "configurations.md").read_text()


def block(language: str) -> str:
    """Return the only block of the guide in a language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    return str(found)


def test_the_experiment_of_the_guide_runs_once(lab: Lab) -> None:
    script = lab.folder / "pi.py"
    script.write_text(block("python"))
    session = block("console").splitlines()
    assert session[0::2] == ["$ python pi.py"] * 2
    said = [lab.shell.ok(sys.executable, script, cwd=lab.folder) for _ in range(2)]
    assert [one.strip() for one in said] == session[1::2]
    runs = list((lab.folder / "results" / "jobs").glob("pi.*/*/*.done"))
    assert len(runs) == 4
