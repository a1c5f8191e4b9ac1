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


def test_any_other_word_is_refused(run: Run) -> None:
    result = run("hnslots", "total-ish")
    assert result.exit_code == 1
    assert "must be `used` or `free`" in result.stderr


def test_json_lists_the_resources(run: Run, client: type[FakeClient]) -> None:
    client.answers["slots"] = resources(6)
    assert json.loads(run("hnslots", "--json").stdout) == [
        {"name": "r0", "numbered": True, "unit": 1, "total": 6, "used": 0, "free": 6, "drained": []}
    ]
