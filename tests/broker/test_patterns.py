"""Patterns in the names of a job's files."""

from __future__ import annotations

import pytest

from hsched.broker import patterns
from hsched.core.model import JobId, job_id
from hsched.wire.submit import JobSpec


@pytest.mark.parametrize(
    ("path", "identity", "name", "filled"),
    [
        ("plain", job_id(7), None, "plain"),
        ("%j.out", job_id(7), None, "7.out"),
        ("%j-%a", job_id(7, 3), None, "7.3-3"),
        ("%n/%x", job_id(7), None, "lab/job"),
        ("%x/f", job_id(7), "../a", ".._a/f"),
        ("100%%j %%%j", job_id(7), None, "100%j %7"),
        ("%z % %", job_id(7), None, "%z % %"),
        ("%x", job_id(7), "%j", "%j"),
    ],
)
def test_a_pattern_stands_for_a_value(
    path: str, identity: JobId, name: str | None, filled: str
) -> None:
    spec = JobSpec(slots="1", name=name, stdin=path, stdout=path, stderr=path)
    found = patterns.filled(spec, identity, "lab")
    assert (found.stdin, found.stdout, found.stderr) == (filled, filled, filled)


def test_what_is_not_given_stays_so() -> None:
    spec = JobSpec(slots="1", stdout="%j")
    assert patterns.filled(spec, job_id(7), "lab").stderr is None


@pytest.mark.parametrize(
    ("out", "err", "needed"),
    [(None, None, False), ("a/b", "c/%z", False), ("a/%j", None, True), (None, "%x/b", True)],
)
def test_folders_are_made_for_a_pattern(out: str | None, err: str | None, needed: bool) -> None:
    assert patterns.need_folders(JobSpec(slots="1", stdout=out, stderr=err)) is needed
