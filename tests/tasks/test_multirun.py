"""-m: lists become tasks, and what is no list stays as it is."""

from __future__ import annotations

import pytest

from hsched.errors import WrongUsage
from hsched.tasks.multirun import combinations


def lists(*arguments: str) -> list[list[str]]:
    return [list(one.arguments) for one in combinations(arguments)]


def test_the_example_of_the_page() -> None:
    assert lists("--lr", "[0.1,0.3]") == [["--lr", "0.1"], ["--lr", "0.3"]]


def test_the_last_list_changes_fastest() -> None:
    assert lists("a=[1,2]", "x", "b=[3,4]") == [
        ["a=1", "x", "b=3"],
        ["a=1", "x", "b=4"],
        ["a=2", "x", "b=3"],
        ["a=2", "x", "b=4"],
    ]


@pytest.mark.parametrize(
    ("argument", "items"),
    [
        ("[[1,2],[3,4]]", ["[1,2]", "[3,4]"]),
        ("['a,b',\"c d\"]", ["a,b", "c d"]),
        ("[f(1,2),{a:1,b:2}]", ["f(1,2)", "{a:1,b:2}"]),
        ("[ 1 , 2 ]", ["1", "2"]),
        ("['']", [""]),
        ("[one]", ["one"]),
    ],
)
def test_quotes_and_brackets_are_respected(argument: str, items: list[str]) -> None:
    assert lists(argument) == [[item] for item in items]


@pytest.mark.parametrize("argument", ["--lr", "a[1,2]", "[1,2]x", "x=1,2", "a b", "", "--f=a,[b]"])
def test_what_is_no_list_stays(argument: str) -> None:
    assert lists(argument) == [[argument]]


@pytest.mark.parametrize("argument", ["[]", "[1,]", "k=[,]", "[(1,2]", "['a]", "[a)]"])
def test_a_list_that_is_none_is_told(argument: str) -> None:
    with pytest.raises(WrongUsage):
        lists(argument)


def test_more_than_anybody_means_is_refused() -> None:
    many = "[" + ",".join(map(str, range(1000))) + "]"
    with pytest.raises(WrongUsage, match="1000000"):
        lists(many, many)


def test_values_have_the_keys_that_a_name_may_use() -> None:
    first, *_ = combinations(["--lr", "[0.1,0.3]", "++opt.name=[adam]", "[x]"])
    assert first.values == {"lr": "0.1", "opt.name": "adam", "3": "x", "index": "0"}
