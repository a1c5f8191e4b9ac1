"""hstart: what the broker is told, and what a second one says."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from hsched import paths
from hsched.client import launch
from hsched.errors import AlreadyRunning, NotRunning
from tests.cli.conftest import FakeClient, Run, resources


@pytest.fixture
def launched(
    client: type[FakeClient], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> list[tuple[Any, ...]]:
    """What was launched, in order; nothing really is."""
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setenv("HSCHED_HOME", str(tmp_path))
    monkeypatch.setattr(
        launch, "launch", lambda place, arguments, deadline: calls.append((place.name, arguments))
    )
    client.answers["slots"] = resources(6, 2, 32)
    return calls


def refuse(*_: object) -> None:
    """Stand in for the launch where a broker lives."""
    raise AlreadyRunning("already running")


def test_the_name_and_the_slots_are_told(run: Run, launched: list[tuple[Any, ...]]) -> None:
    result = run("hstart", "6,2,32")
    assert launched == [("default", ["--spec=6,2,32"])]
    assert result.stdout == "started default scheduler with nslots = 6,2,32\n"


def test_continue_is_told_to_the_broker(run: Run, launched: list[tuple[Any, ...]]) -> None:
    run("hstart", "--continue")
    assert launched == [("default", ["--resume"])]


def test_options_reach_the_broker(run: Run, launched: list[tuple[Any, ...]]) -> None:
    run("hstart", "-n", "lab", "--policy", "fifo", "--overtake", "3")
    assert launched == [("lab", ["--policy=fifo", "--overtake=3"])]


@pytest.mark.parametrize(("spec", "told"), [("6,2,32", "is the same"), ("6", "is NOT the same")])
def test_a_second_start_compares_the_slots(
    run: Run, client: type[FakeClient], monkeypatch: pytest.MonkeyPatch, spec: str, told: str
) -> None:
    from hsched.core.spec import parse_spec

    monkeypatch.setattr(launch, "launch", refuse)
    names = [resource.name for resource in parse_spec("6,2,32")]
    client.answers["slots"] = tuple(
        type(view)(**{**view.as_dict(), "name": name})
        for view, name in zip(resources(6, 2, 32), names, strict=True)
    )
    result = run("hstart", spec)
    assert result.exit_code == 1
    assert f"already running and the number of slots {told}" in result.stderr
    assert "hstop" in result.stderr


def test_of_two_starts_at_once_the_second_may_find_nobody_to_ask(
    run: Run, client: type[FakeClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "launch", refuse)
    client.answers["slots"] = NotRunning("not yet")
    result = run("hstart", "6")
    assert result.exit_code == 1
    assert result.stderr == "hstart: scheduler default is already running, or about to\n"


def test_foreground_becomes_the_broker(
    run: Run, launched: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    became: list[list[str]] = []
    here = os.getcwd()
    monkeypatch.setattr(os, "execv", lambda program, words: became.append(words))
    try:
        run("hstart", "--foreground", "3")
        assert os.getcwd() == paths.place("default").folder
    finally:
        os.chdir(here)
    assert became[0][1:] == ["-m", "hsched.broker", "default", "--foreground", "--spec=3"]


@pytest.mark.parametrize("typed", ["6 2", "--policy odd", "--overtake -1", "-n a/b", "-x"])
def test_wrong_usage_starts_nothing(run: Run, launched: list[tuple[Any, ...]], typed: str) -> None:
    result = run("hstart", *typed.split())
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert not launched
