"""The exit status that stands for how a job ended."""

from __future__ import annotations

from errno import EACCES, ENOENT, ENOEXEC
from typing import Any

import pytest

from hsched.cli import exits
from hsched.wire.subscribe import Change


def ended(outcome: str, **fields: Any) -> Change:
    return Change(number=1, id="7", state="done", outcome=outcome, **fields)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (ended("succeeded", exit_status=0), 0),
        (ended("failed", exit_status=3), 3),
        (ended("signalled", signal=9), 137),
        (ended("timed out", signal=15), 124),
        (ended("spawn failed", errno=ENOENT), 127),
        (ended("spawn failed", errno=EACCES), 126),
        (ended("spawn failed", errno=ENOEXEC), 126),
        (ended("cancelled", exit_status=0), 125),
        (ended("dependency failed"), 125),
        (ended("lost"), 125),
    ],
)
def test_the_table(change: Change, status: int) -> None:
    assert exits.status(change) == status


def test_of_several_the_largest() -> None:
    assert exits.largest([ended("failed", exit_status=3), ended("timed out"), ended("lost")]) == 125
    assert exits.largest([]) == 0
