"""Options that remember what they come to when nobody types them."""

from __future__ import annotations

import importlib
from typing import Any

import click
import pytest

from hsched.client.warm import COMMANDS

#: For each command lines that it takes, which must not depend on those before.
LINES: dict[str, list[list[str]]] = {
    "hsubmit": [
        ["1", "true"],
        ["--hold", "--grace", "7", "-v", "A=1", "--dep", "3", "1", "true"],
        ["--each", "-", "1"],
        ["--array", "0-3%2", "--retries", "2", "--retry-on", "1,2", "1", "--", "true", "--hold"],
    ],
    "hjobs": [[], ["--all", "--json", "3"], ["--state", "pending", "--last", "2"]],
    "hkill": [["1"], ["--signal", "INT", "--grace", "2", "--label", "x", "1"]],
    "hnslots": [[], ["--json"], ["set", "3"]],
    "hstatus": [[], ["--name", "a", "--name", "b"]],
    "hhold": [["1"], ["--all"]],
    "hrelease": [["1"], ["--job-name", "a"]],
    "hupdate": [["1"], ["1", "--priority", "3", "--time", "1h"]],
}


def parsed(command: click.Command, words: list[str]) -> dict[str, Any]:
    return command.make_context(None, list(words)).params


@pytest.mark.parametrize("name", COMMANDS)
def test_a_line_means_the_same_whatever_was_parsed_before(name: str) -> None:
    module = importlib.import_module(f"hsched.cli.{name}")
    first = [parsed(fresh(module.command), words) for words in LINES[name]]
    assert first == [parsed(module.command, words) for words in LINES[name]]
    assert first[::-1] == [parsed(module.command, words) for words in LINES[name][::-1]]


def fresh(command: click.Command) -> click.Command:
    """Return ``command`` as if it had never parsed anything."""
    command._parser = None  # type: ignore[attr-defined] # ours have one
    for one in command.params:
        vars(one).pop("_untyped", None)
    return command


def test_a_wrong_line_leaves_nothing() -> None:
    command = importlib.import_module("hsched.cli.hsubmit").command
    before = parsed(command, ["1", "true"])
    for wrong in (["--retries", "x", "1", "true"], ["--no-such", "1", "true"], []):
        with pytest.raises(click.ClickException):
            parsed(command, wrong)
    assert parsed(command, ["1", "true"]) == before
