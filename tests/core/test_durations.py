"""Durations as people type them."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsched.core.durations import parse_duration
from hsched.errors import WrongUsage


@pytest.mark.parametrize(
    ("word", "seconds"),
    [
        ("90", 90),
        ("0", 0),
        ("90s", 90),
        ("1.5", 1.5),
        ("1.5h", 5400),
        ("2h", 7200),
        ("1h30m", 5400),
        ("2D12H", 216_000),
        ("5:10", 310),
        ("1:30:00", 5400),
        ("100:00:00", 360_000),
        ("2-12", 216_000),
        ("2-12:30", 217_800),
        ("1-2:3:4", 93_784),
        (" 90 ", 90),
    ],
)
def test_each_form_is_so_many_seconds(word: str, seconds: float) -> None:
    assert parse_duration(word) == seconds


@pytest.mark.parametrize(
    "word",
    [
        *("", "h", "-", ":", "-1", "1-", "1:", "1:60", "1:2:3:4", "1.5:00", "1h2", "1m2h", "1h1h"),
        *("1e3", "nan", "inf", ".5", "5.", "1_0", "٣", "9" * 13, "1-24x", "0x10", "1 h"),
    ],
)
def test_what_is_no_duration_is_refused_with_its_word(word: str) -> None:
    with pytest.raises(WrongUsage, match=r"^`.*` is no duration; write "):
        parse_duration(word)


@given(st.integers(0, 99), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_a_clock_with_days_means_what_its_fields_say(d: int, h: int, m: int, s: int) -> None:
    seconds = ((d * 24 + h) * 60 + m) * 60 + s
    assert parse_duration(f"{d}-{h}:{m}:{s}") == seconds
    assert parse_duration(f"{d}d{h}h{m}m{s}s") == seconds


@given(st.text(max_size=12))
def test_no_word_does_anything_else(word: str) -> None:
    with contextlib.suppress(WrongUsage):
        assert parse_duration(word) >= 0
