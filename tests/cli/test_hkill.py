"""hkill: which jobs, which signal."""

from __future__ import annotations

import pytest

from hsched.errors import NoSuchJob
from tests.cli.conftest import FakeClient, Run

DEFAULTS = {"everything": False, "states": (), "signal": 15, "grace": None}


@pytest.mark.parametrize(
    ("typed", "words", "options"),
    [
        ("7", ("7",), {}),
        ("3-10 train -f", ("3-10", "train"), {}),
        ("last~2 --label night", ("last~2", "label:night"), {}),
        ("--job-name 7", ("name:7",), {}),
        ("-k 7", ("7",), {"signal": 9}),
        ("-s USR1 7", ("7",), {"signal": 10}),
        ("--grace 0 7", ("7",), {"grace": 0.0}),
        ("--all", (), {"everything": True}),
        ("--state pending", (), {"everything": True, "states": ("pending",)}),
        ("--state pending train", ("train",), {"states": ("pending",)}),
    ],
)
def test_words_become_one_request(
    run: Run,
    client: type[FakeClient],
    typed: str,
    words: tuple[str, ...],
    options: dict[str, object],
) -> None:
    result = run("hkill", *typed.split())
    assert client.calls[1:] == [("kill", (), {**DEFAULTS, "words": words, **options})]
    assert (result.stdout, result.exit_code) == ("", 0)


@pytest.mark.parametrize("typed", ["", "-f", "-k -s INT 7", "--signal NO 7", "--state odd", "-a 7"])
def test_an_unclear_wish_ends_nothing(run: Run, client: type[FakeClient], typed: str) -> None:
    result = run("hkill", *typed.split())
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert not client.calls


def test_an_unknown_job_is_an_error(run: Run, client: type[FakeClient]) -> None:
    client.answers["kill"] = NoSuchJob("couldn't find job 99")
    result = run("hkill", "99")
    assert result.exit_code == 1
    assert result.stderr == "hkill: couldn't find job 99\n"
