"""Job ids as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsched.core.model import (
    MAX_ARRAY_INDEX,
    Outcome,
    OutcomeKind,
    array_index,
    array_of,
    format_job_id,
    job_id,
    job_number,
    parse_job_id,
)
from hsched.errors import WrongUsage


@given(st.integers(1, 10**12 - 1), st.none() | st.integers(0, MAX_ARRAY_INDEX))
def test_an_id_that_was_printed_can_be_read(number: int, index: int | None) -> None:
    identity = job_id(number, index)
    assert parse_job_id(format_job_id(identity)) == identity
    assert (job_number(identity), array_index(identity)) == (number, index)
    assert array_of(identity) == (None if index is None else job_id(number))


def test_ids_order_as_people_expect() -> None:
    words = ["7", "7.0", "7.1", "7.10", "8"]
    assert sorted(words, key=parse_job_id) == words


@pytest.mark.parametrize(
    "word",
    [
        *("", "x", "7.", ".7", "7.x", "7.1.2", "-1", "0", "0.1", "7 ", "٣", "1_0", "9" * 13),
        *(f"7.{MAX_ARRAY_INDEX + 1}", "7." + "9" * 8),
    ],
)
def test_what_is_no_id_is_refused_with_its_word(word: str) -> None:
    with pytest.raises(WrongUsage, match="is no job id"):
        parse_job_id(word)


@pytest.mark.parametrize("kind", OutcomeKind)
def test_only_success_is_success(kind: OutcomeKind) -> None:
    assert Outcome(kind).succeeded == (kind is OutcomeKind.SUCCEEDED)
