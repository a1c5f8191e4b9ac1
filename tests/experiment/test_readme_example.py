"""The experiment in the README prints what its comment says."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.experiment.lab import Lab

README = (Path(__file__).parents[2] / "README.md").read_text()


def test_the_experiment_of_the_readme(lab: Lab) -> None:
    (code,) = re.findall(r"^```python\n([^`]*hsched\.experiment.*?)^```", README, re.M | re.S)
    (expected,) = re.findall(r"  # (\d+)$", code, re.M)
    (lab.folder / "squares.py").write_text(code)
    for _ in range(2):
        said = lab.shell.ok(sys.executable, "squares.py", cwd=lab.folder)
        assert said.split() == [expected]
