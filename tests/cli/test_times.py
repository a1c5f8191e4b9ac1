"""Times as they are typed."""

from __future__ import annotations

from datetime import datetime

import pytest

from hsched.cli import times
from hsched.errors import WrongUsage

#: 2026-11-21 15:00 in Berlin, which is the zone of these tests.
NOW = datetime.fromisoformat("2026-11-21T14:00:00+00:00").timestamp()


@pytest.mark.parametrize(
    ("word", "moment"),
    [
        ("+2h", "2026-11-21T16:00:00+00:00"),
        ("+90", "2026-11-21T14:01:30+00:00"),
        ("16:30", "2026-11-21T15:30:00+00:00"),
        ("15:00", "2026-11-21T14:00:00+00:00"),
        ("14:59:59", "2026-11-22T13:59:59+00:00"),
        ("00:00", "2026-11-21T23:00:00+00:00"),
        ("2026-12-24", "2026-12-23T23:00:00+00:00"),
        ("2026-12-24T18:00", "2026-12-24T17:00:00+00:00"),
        ("2026-12-24 18:00:30", "2026-12-24T17:00:30+00:00"),
        ("2026-12-24T18:00Z", "2026-12-24T18:00:00+00:00"),
        ("2026-12-24T18:00-05:00", "2026-12-24T23:00:00+00:00"),
    ],
)
def test_a_moment_is_local_unless_it_says_otherwise(word: str, moment: str) -> None:
    assert times.moment(word, NOW) == datetime.fromisoformat(moment).timestamp()


@pytest.mark.parametrize("word", ["", "soon", "25:00", "5", "+", "+-1", "2026-13-01", "tomorrow"])
def test_what_is_no_moment_is_refused(word: str) -> None:
    with pytest.raises(WrongUsage):
        times.moment(word, NOW)


def test_a_warning_is_a_signal_and_a_time_ahead() -> None:
    assert times.warning("USR1@120") == (10, 120.0)
    assert times.warning("int@2m") == (2, 120.0)
    for wrong in ("USR1", "@120", "USR1@", "NO@5", "USR1@x"):
        with pytest.raises(WrongUsage):
            times.warning(wrong)


def test_a_limit_is_more_than_nothing() -> None:
    assert times.limit("2-12") == 60 * 3600
    for wrong in ("0", "-1", "", "x"):
        with pytest.raises(WrongUsage):
            times.limit(wrong)
