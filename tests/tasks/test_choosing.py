"""Which tasks a word means: what is exact comes before what is a pattern."""

from __future__ import annotations

import pytest

from hsched.errors import NoSuchJob, WrongUsage
from hsched.tasks.choosing import chosen
from tests.cli.conftest import job

JOBS = [
    job(id=str(number), name=name)
    for number, name in enumerate(
        ["train", "pipeline/train", "pipeline/eval", "lr.1", "lrx1", "12", None], start=1
    )
]


@pytest.mark.parametrize(
    ("word", "ids"),
    [
        ("train", "1"),
        ("pipeline", "2 3"),
        ("pipeline/eval", "3"),
        ("eval", "3"),
        ("lr.1", "4"),
        ("lr.+", "4 5"),
        (".*train", "1 2"),
        ("7", "7"),
        ("12", "6"),
        ("2-4", "2 3 4"),
        ("tr", ""),
    ],
)
def test_a_word_means(word: str, ids: str) -> None:
    if not ids:
        with pytest.raises(NoSuchJob, match="no task fits"):
            chosen(JOBS, [word])
    else:
        assert [one.id for one in chosen(JOBS, [word])] == ids.split()


def test_several_words_choose_each_once_in_order() -> None:
    assert [one.id for one in chosen(JOBS, ["eval", "pipeline", "train"])] == ["1", "2", "3"]


def test_a_word_that_is_no_pattern_is_told() -> None:
    with pytest.raises(WrongUsage, match="no regular expression"):
        chosen(JOBS, ["lr("])
