"""The man pages and --help say what the commands do."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from hsched.cli import manual
from hsched.wire.jobs import JobView

PAGES = sorted(Path(manual.FOLDER).resolve().glob("*.[17]"))


@pytest.fixture(params=manual.PAGES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def page(name: str) -> str:
    return Path(manual.page_path(name)).read_text(encoding="utf-8")


def test_the_options_of_the_page_are_those_of_the_command(name: str) -> None:
    assert manual.with_options(page(name), manual.load(name)) == page(name), "run `make man`"


def test_help_describes_every_option_and_ends_with_examples(name: str) -> None:
    command = manual.load(name)
    assert command.help
    assert all(getattr(one, "help", None) for one in command.params if one.opts[0][0] == "-")
    shown = CliRunner().invoke(command, ["--help"]).stdout
    assert command.examples
    assert all(example in shown for example in command.examples)


def test_the_page_has_the_sections_and_the_examples(name: str) -> None:
    text = page(name)
    for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "EXAMPLES"):
        assert f".Sh {section}\n" in text
    assert ".Sh SEE ALSO" in text
    assert all(example in text for example in manual.load(name).examples)


def test_the_examples_are_understood_by_the_command(name: str) -> None:
    command = manual.load(name)
    for example in command.examples:
        for typed in re.findall(rf"{command.program}\b([^;&|)]*)", example):
            words = shlex.split(typed.replace("$dep", "7"))
            command.make_context(name, words)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_page_has_no_warnings(path: Path) -> None:
    lint = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", str(path)], capture_output=True, text=True
    )
    assert (lint.returncode, lint.stdout) == (0, "")


def test_there_is_a_page_for_each_command_and_one_for_the_whole() -> None:
    assert [path.name for path in PAGES] == sorted(
        ["hsched.7", *(f"{name}.1" for name in manual.PAGES)]
    )


def test_the_page_lists_the_keys_of_json_and_no_others() -> None:
    text = (Path(manual.FOLDER) / "hsched.7").read_text(encoding="utf-8")
    part = text.partition("json keys begin")[2].partition("json keys end")[0]
    listed = [key for line in re.findall(r"^\.It (.*)", part, re.M) for key in line.split(" , ")]
    assert listed == list(JobView._defaults)
