"""hnslots: one line of numbers."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import FakeClient, Run, resources


@pytest.mark.parametrize(
    ("typed", "shown"), [("", "6,2,32"), ("used", "1,0,0"), ("free", "5,2,32")]
)
def test_slots_are_numbers_with_commas(
    run: Run, client: type[FakeClient], typed: str, shown: str
) -> None:
    client.answers["slots"] = resources(6, 2, 32, used=(1,))
    assert run("hnslots", *typed.split()).stdout == f"{shown}\n"


@pytest.mark.parametrize(
    ("typed", "call"),
    [
        ("set 8,2,32", ("set_slots", ("8,2,32",), {})),
        ("drain gpus:1 cores:4-7", ("drain_slots", (("gpus:1", "cores:4-7"),), {"back": False})),
        ("undrain gpus:1", ("drain_slots", (("gpus:1",),), {"back": True})),
    ],
)
def test_changes_are_passed_on_in_silence(
    run: Run, client: type[FakeClient], typed: str, call: object
) -> None:
    assert run("hnslots", *typed.split()).stdout == ""
    assert client.calls[1:] == [call]


def test_drain_alone_lists_what_is_out_of_use(run: Run, client: type[FakeClient]) -> None:
    (one,) = resources(6)
    client.answers["slots"] = [type(one)(**{**one.as_dict(), "drained": (2, 5)})]
    assert run("hnslots", "drain").stdout == "r0:2\nr0:5\n"


@pytest.mark.parametrize("typed", ["free 1", "set", "set 1 2", "undrain"])
def test_too_many_or_few_words_change_nothing(
    run: Run, client: type[FakeClient], typed: str
) -> None:
    assert run("hnslots", *typed.split()).exit_code == 2
    assert not client.calls


def test_any_other_word_is_refused(run: Run) -> None:
    result = run("hnslots", "total-ish")
    assert result.exit_code == 1
    assert "must be `used` or `free`" in result.stderr


def test_json_lists_the_resources(run: Run, client: type[FakeClient]) -> None:
    client.answers["slots"] = resources(6)
    assert json.loads(run("hnslots", "--json").stdout) == [
        {"name": "r0", "numbered": True, "unit": 1, "total": 6, "used": 0, "free": 6, "drained": []}
    ]
