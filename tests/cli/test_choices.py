"""The commands that do something to some live jobs: which jobs, and what."""

from __future__ import annotations

import pytest

from hsched.errors import Refused
from tests.cli.conftest import FakeClient, Run

VERBS = {"hhold": "hold", "hrelease": "release", "hsuspend": "suspend", "hresume": "resume"}


@pytest.mark.parametrize("name", VERBS)
@pytest.mark.parametrize(
    ("typed", "choice"),
    [
        ("7 3-10 last~2 train", {"words": ("7", "3-10", "last~2", "train")}),
        ("--label a --label b", {"words": ("label:a", "label:b")}),
        ("7 --job-name last", {"words": ("7", "name:last")}),
        ("--all", {"everything": True}),
        ("--state pending", {"everything": True, "states": ("pending",)}),
    ],
)
def test_words_and_options_choose(
    run: Run, client: type[FakeClient], name: str, typed: str, choice: dict[str, object]
) -> None:
    result = run(name, *typed.split())
    plain = {"words": (), "everything": False, "states": ()}
    assert client.calls[1:] == [(VERBS[name], (), {**plain, **choice})]
    assert (result.stdout, result.exit_code) == ("", 0)


@pytest.mark.parametrize("name", [*VERBS, "hupdate"])
@pytest.mark.parametrize("typed", ["", "--all 7", "--all --label x", "--state odd"])
def test_an_unclear_choice_does_nothing(
    run: Run, client: type[FakeClient], name: str, typed: str
) -> None:
    result = run(name, *typed.split())
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert not client.calls


@pytest.mark.parametrize("name", VERBS)
def test_what_the_broker_refuses_is_told(run: Run, client: type[FakeClient], name: str) -> None:
    client.answers[VERBS[name]] = Refused("job 7 is running")
    result = run(name, "7")
    assert (result.exit_code, result.stderr) == (1, f"{name}: job 7 is running\n")


@pytest.mark.parametrize(
    ("typed", "changes"),
    [
        ("--priority -5", {"priority": -5}),
        ("--slots gpus=1", {"slots": "gpus=1"}),
        ("--time 1:30:00", {"time_limit": 5400.0}),
        ("--time none", {"no_time_limit": True}),
        ("--dep afterok:6,last", {"dependencies": ("afterok:6", "afterok:last")}),
        ("--dep none", {"dependencies": ()}),
        ("--priority 0 --time 5", {"priority": 0, "time_limit": 5.0}),
    ],
)
def test_hupdate_sends_what_changes(
    run: Run, client: type[FakeClient], typed: str, changes: dict[str, object]
) -> None:
    run("hupdate", "7", *typed.split())
    choice = {"words": ("7",), "everything": False, "states": ()}
    assert client.calls[1:] == [("update", (), {**choice, **changes})]


@pytest.mark.parametrize("typed", ["", "--time 0", "--time x", "--priority x", "--dep next"])
def test_hupdate_without_a_sound_change_does_nothing(
    run: Run, client: type[FakeClient], typed: str
) -> None:
    assert run("hupdate", "7", *typed.split()).exit_code == 2
    assert not client.calls
