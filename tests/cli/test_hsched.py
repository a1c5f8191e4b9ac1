"""hsched: every command under one name, and none imported before it is named."""

from __future__ import annotations

import importlib
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from hsched.cli import manual
from hsched.cli.hsched import TABLE, command
from tests.cli.conftest import FakeClient, job


@pytest.mark.parametrize("name", TABLE)
def test_the_list_says_what_the_command_says_of_itself(name: str) -> None:
    module, line = TABLE[name]
    found = importlib.import_module(f"hsched.cli.{module}").command
    assert line == found.get_short_help_str(limit=200)


def test_every_command_is_in_the_list() -> None:
    others = set(manual.OTHERS.values()) - {"hsched"}
    listed = {module for module, _ in TABLE.values()}
    assert listed == {*manual.COMMANDS, *others} - {"hkill"}, "`hsched kill` is that of tasks"
    assert TABLE["kill"][0] == "tasks.kill"


def test_help_lists_all_commands() -> None:
    shown = CliRunner().invoke(command, ["--help"]).stdout
    listed = shown.partition("Commands:\n")[2].partition("\n\n")[0].splitlines()
    assert [one.split()[0] for one in listed if one[2] != " "] == list(TABLE)


@pytest.mark.parametrize("word", ["--help", "--version"])
def test_help_imports_no_command(word: str) -> None:
    code = f"""
import sys
from hsched.cli.hsched import command
command.main([{word!r}], standalone_mode=False)
print(*sys.modules, file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    slow = {"zmq", "hsched.client", *(f"hsched.cli.{module}" for module, _ in TABLE.values())}
    assert not slow & set(done.stderr.split())


def test_a_command_does_under_this_name_what_it_does_under_its_own(
    client: type[FakeClient],
) -> None:
    client.answers["jobs"] = [job()]
    result = CliRunner().invoke(command, ["jobs", "running", "-n", "lab"])
    assert result.exit_code == 0
    assert client.calls[0] == ("open", ("lab",), {})
    assert result.stdout.splitlines()[1].startswith("7 ")


def test_help_and_errors_of_a_command_name_it_as_it_was_typed() -> None:
    runner = CliRunner()
    assert runner.invoke(command, ["jobs", "-h"]).stdout.startswith("Usage: hsched jobs [OPTIONS]")
    wrong = runner.invoke(command, ["kill", "--bad"])
    assert wrong.exit_code == 2
    assert wrong.stderr.startswith("hsched kill: No such option '--bad'")
    assert wrong.stderr.endswith("; see `hsched kill --help`\n")
    alone = importlib.import_module("hsched.cli.hkill").command
    assert runner.invoke(alone, ["--bad"]).stderr.startswith("hkill: "), "and alone as before"


@pytest.mark.parametrize(
    ("words", "message"), [([], "Missing command"), (["frob"], "No such command 'frob'")]
)
def test_what_is_no_command_is_told(words: list[str], message: str) -> None:
    result = CliRunner().invoke(command, words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"hsched: {message}; see `hsched --help`\n"


def test_completion_knows_the_commands() -> None:
    context = click.Context(command, info_name="hsched")
    assert "simulate" in {item.value for item in command.shell_complete(context, "sim")}
