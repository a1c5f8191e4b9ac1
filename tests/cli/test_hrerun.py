"""hrerun and hadopt: what they ask for, and the ids that come out."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.cli.conftest import FakeClient, Run


@pytest.mark.parametrize(
    ("typed", "words", "failed"),
    [
        ("7 last", ("7", "last"), False),
        ("--label x --job-name y", ("name:y", "label:x"), False),
        ("--failed", (), True),
    ],
)
def test_the_new_ids_are_printed(
    run: Run, client: type[FakeClient], typed: str, words: tuple[str, ...], failed: bool
) -> None:
    client.answers["rerun"] = [SimpleNamespace(id="8"), SimpleNamespace(id="9")]
    assert run("hrerun", *typed.split()).stdout == "8\n9\n"
    assert client.calls[1:] == [("rerun", (words,), {"failed": failed})]


@pytest.mark.parametrize("typed", ["", "--failed 7"])
def test_hrerun_wants_either_jobs_or_failed(run: Run, client: type[FakeClient], typed: str) -> None:
    assert run("hrerun", *typed.split()).exit_code == 2
    assert not client.calls


def test_hadopt_passes_everything_on(run: Run, client: type[FakeClient]) -> None:
    client.answers["adopt"] = SimpleNamespace(id="8")
    typed = "--at gpus:1 --job-name n --label l --time 2h --grace 1 4711 0,1"
    assert run("hadopt", *typed.split()).stdout == "8\n"
    given = {"at": ("gpus:1",), "name": "n", "labels": ("l",), "time_limit": 7200.0, "grace": 1.0}
    assert client.calls[1:] == [("adopt", (4711, "0,1"), given)]


def test_hadopt_takes_a_negative_number_after_two_dashes(
    run: Run, client: type[FakeClient]
) -> None:
    client.answers["adopt"] = SimpleNamespace(id="8")
    run("hadopt", "4711", "--", "-1")
    assert client.calls[1][1] == (4711, "-1")
