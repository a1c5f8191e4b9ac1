"""Filters: a small language that compares, and can do nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsched.errors import WrongUsage
from hsched.tasks import filters
from hsched.tasks.status import Value

TASK: dict[str, Value] = {
    "name": "train",
    "status": "dependency failed",
    "priority": 3,
    "wall_s": 1.5,
    "pid": None,
}


def fits(text: str) -> bool:
    return filters.parse(text, TASK)(TASK.__getitem__)


@pytest.mark.parametrize(
    "text",
    [
        "name==train",
        "name = train",
        "name!=eval and priority>1",
        "priority>=3 and priority<=3",
        "wall_s<2.0",
        "status=='dependency failed'",
        'status=="dependency failed"',
        "name=~tr.*",
        "not name=~tr",
        "name==eval or name==train and priority==3",
        "(name==eval or name==train) and not (priority<3)",
        "pid!=7",
        "not pid==7",
        "not not name==train",
    ],
)
def test_what_fits(text: str) -> None:
    assert fits(text)


@pytest.mark.parametrize(
    "text", ["name==eval", "priority>3", "pid==7", "pid<7", "pid>7", "priority==three", "name=~tr"]
)
def test_what_does_not(text: str) -> None:
    assert not fits(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name==",
        "==train",
        "name==train and",
        "nope==1",
        "name==a b",
        "(name==a",
        "name==a)",
        "name=~(",
        "name==and",
        "__import__('os').system('id')",
        "name.__class__==x",
        "name=='a",
        "not",
        "not " * 100 + "name==a",
        "(" * 100 + "name==a" + ")" * 100,
    ],
)
def test_what_is_no_filter_is_told(text: str) -> None:
    with pytest.raises(WrongUsage, match="filter `"):
        fits(text)


@given(st.text(max_size=40))
def test_any_text_is_a_filter_or_a_sentence(text: str) -> None:
    told = ""
    try:
        fits(text)
    except WrongUsage as error:
        told = str(error)
    assert not told or "filter `" in told


def test_an_error_quotes_no_more_of_a_filter_than_a_line_holds() -> None:
    with pytest.raises(WrongUsage) as error:
        filters.parse("(" * 5000, TASK)
    assert len(str(error.value)) < 160
