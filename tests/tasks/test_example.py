"""The example of the README: two models are trained side by side, and compared after both."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.e2e.shell import Shell

EXAMPLE = Path(__file__).parents[2] / "examples" / "two_models" / "task.py"


@pytest.mark.slow
def test_two_models_are_trained_and_then_compared(lab: Shell) -> None:
    names = lab.ok("hsched", "create", str(EXAMPLE), "--", "--samples", "300").split()
    assert names == ["digits/train/linear", "digits/train/forest", "digits/evaluate"]
    lab.ok("hwait", *names)
    linear, forest, evaluate = (lab.job(str(number)) for number in (1, 2, 3))
    assert evaluate["started_at"] >= max(linear["ended_at"], forest["ended_at"])
    assert lab.ok("hlog", names[0]).startswith("linear: 300 digits in ")
    told = lab.ok("hlog", names[2]).splitlines()
    scores = [float(line.split()[1].rstrip("%")) for line in told[:2]]
    assert all(80 < score <= 100 for score in scores), "it has learnt something"
    drawn = ElementTree.parse(lab.folder / "digits.svg")
    titles = [one.text or "" for one in drawn.iter("{http://www.w3.org/2000/svg}title")]
    assert len(titles) == 2 * 10
    assert titles[0].startswith("linear 0: ")
