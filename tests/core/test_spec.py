"""SPEC and SLOTS: the two words that everybody types."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsched.core.model import Request, Resource
from hsched.core.slots import MAX_SLOTS
from hsched.core.spec import (
    format_amount,
    format_amounts,
    format_bytes,
    parse_memory,
    parse_request,
    parse_spec,
    parse_totals,
)
from hsched.errors import WrongUsage

G = 1 << 30
NODE = parse_spec("cores=6,gpus=2,mem=32G")


def test_positional_totals_are_numbered_and_have_names() -> None:
    expected = [("cores", 6), ("gpus", 2), ("mem", 32), ("r3", 1), ("r4", 0)]
    assert parse_spec("6,2,32,1,0") == tuple(Resource(*pair) for pair in expected)


def test_a_suffix_makes_a_total_measured_in_that_unit() -> None:
    assert NODE[2] == Resource("mem", 32 * G, numbered=False, unit=G)
    assert parse_spec("6,2,32G")[2] == NODE[2]


@pytest.mark.parametrize("word", ["m=2K", "m=2k", "m=2KB", "m=2KiB", "m=2kib", " m = 2K "])
def test_a_suffix_is_binary_however_it_is_written(word: str) -> None:
    assert parse_spec(word) == (Resource("m", 2048, numbered=False, unit=1024),)


def test_names_may_follow_positions_but_not_the_other_way_round() -> None:
    assert [r.name for r in parse_spec("6,scratch=1T")] == ["cores", "scratch"]
    with pytest.raises(WrongUsage, match="`6` needs a name"):
        parse_spec("scratch=1T,6")


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("", "empty field"),
        ("6,,2", "empty field"),
        ("cores=", "empty field"),
        ("=6", "empty field"),
        ("six", "`six` is no whole number"),
        ("1.5", "`1.5` is no whole number"),
        ("6X", "`6X` is no whole number"),
        ("6GG", "`6GG` is no whole number"),
        ("G", "`G` is no whole number"),
        ("1_0", "no whole number"),
        ("²", "no whole number"),
        ("9" * 20, "no whole number"),
        ("8388608T", "more than any machine has"),
        ("-1", "`-1` is negative"),
        ("cores=1,cores=2", "names cores twice"),
        ("1,2,gpus=3", "names gpus twice"),
        ("a b=1", "`a b` is no name"),
        ("1x=1", "`1x` is no name"),
        (f"{MAX_SLOTS + 1}", "the most is 16384"),
    ],
)
def test_a_wrong_spec_is_refused_and_the_reason_named(word: str, message: str) -> None:
    with pytest.raises(WrongUsage, match=message):
        parse_spec(word)


def test_a_request_that_names_fewer_resources_gets_none_of_the_rest() -> None:
    assert parse_request("2", NODE) == Request((2, 0, 0))
    assert parse_request("gpus=1", NODE) == Request((0, 1, 0))


def test_a_bare_number_counts_in_the_unit_of_the_total() -> None:
    assert parse_request("2,1,8", NODE) == Request((2, 1, 8 * G))
    assert parse_request("cores=2,mem=512M", NODE) == Request((2, 0, G // 2))


def test_a_negative_number_asks_for_all_there_is() -> None:
    assert parse_request("-1,-7,mem=-1", NODE) == Request((6, 2, 32 * G))
    assert parse_request("-0", NODE) == Request((0, 0, 0))


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("7", "no 7 cores"),
        ("0,0,33", "no 33G mem"),
        ("1,1,1,1", "more numbers than resources"),
        ("x", "`x` is no whole number"),
        ("1.5", "`1.5` is no whole number"),
        ("1,,1", "empty field"),
        ("cores=2G", "has a suffix"),
        ("disks=1", "there is no resource `disks`"),
        ("1,cores=1", "names cores twice"),
    ],
)
def test_a_wrong_request_is_refused_with_the_totals(word: str, message: str) -> None:
    with pytest.raises(WrongUsage, match=f"{message}.*; there is cores=6,gpus=2,mem=32G$"):
        parse_request(word, NODE)


def test_new_totals_leave_what_they_do_not_name() -> None:
    assert parse_totals("gpus=1", NODE) == (6, 1, 32 * G)
    assert parse_totals("8,2,16", NODE) == (8, 2, 16 * G)
    assert parse_totals("mem=512M", NODE) == (6, 2, G // 2)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("1,1,1,1", "more numbers than resources"),
        ("cores=-1", "`-1` is no whole number"),
        ("cores=2G", "cores are counted, `2G` has a suffix"),
        ("cores=16385", "cores can have 16384 slots at most"),
        ("mem=8388608T", "more than any machine has"),
    ],
)
def test_wrong_totals_are_refused_and_the_reason_named(word: str, message: str) -> None:
    with pytest.raises(WrongUsage, match=message):
        parse_totals(word, NODE)


def test_an_amount_is_printed_in_the_largest_unit_that_is_exact() -> None:
    mem = NODE[2]
    assert format_amount(mem) == "32G"
    assert format_amount(mem, 2048 * G) == "2048G", "the unit of the total, and none above it"
    assert [format_amount(mem, n) for n in (0, G // 2, 1024, 5)] == ["0G", "512M", "1K", "5B"]


_units = st.sampled_from(["", "B", "K", "M", "G", "T"])
_totals = st.lists(st.tuples(st.integers(0, MAX_SLOTS), _units), min_size=1, max_size=6)


@given(_totals)
def test_a_spec_that_was_printed_can_be_read(totals: list[tuple[int, str]]) -> None:
    resources = parse_spec(",".join(f"{number}{unit}" for number, unit in totals))
    printed = format_amounts([r.capacity for r in resources], resources)
    assert [r.capacity for r in parse_spec(printed)] == [r.capacity for r in resources]


@given(_totals, st.data())
def test_a_request_that_was_printed_can_be_read(
    totals: list[tuple[int, str]], data: st.DataObject
) -> None:
    resources = parse_spec(",".join(f"{number}{unit}" for number, unit in totals))
    amounts = tuple(data.draw(st.integers(0, r.capacity)) for r in resources)
    assert parse_request(format_amounts(amounts, resources), resources) == Request(amounts)


@given(st.text(st.sampled_from("0123456789,=-.GKib xr3"), max_size=12))
def test_no_word_does_anything_but_be_read_or_be_wrong_usage(word: str) -> None:
    with contextlib.suppress(WrongUsage):
        parse_spec(word)
    with contextlib.suppress(WrongUsage):
        parse_request(word, NODE)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("20000", (20_000 << 20, 0.0)),
        ("20G", (20 * G, 0.0)),
        ("512MiB", (512 << 20, 0.0)),
        ("2", (2 << 20, 0.0)),
        ("1", (0, 1.0)),
        ("0.25", (0, 0.25)),
        (".5", (0, 0.5)),
        ("0", (0, 0.0)),
    ],
)
def test_memory_is_mebibytes_a_size_or_a_share(word: str, meant: tuple[int, float]) -> None:
    assert parse_memory(word) == meant


@pytest.mark.parametrize("word", ["", "x", "-1", "1.5", "nan", "1e3", "20Q", "9" * 19 + "T", "²"])
def test_what_is_no_memory_is_wrong_usage(word: str) -> None:
    with pytest.raises(WrongUsage, match="is no memory: 20000"):
        parse_memory(word)


@given(st.integers(0, 1 << 50))
def test_bytes_are_told_exactly(amount: int) -> None:
    told = format_bytes(amount)
    assert parse_memory(told) == (amount, 0.0)
