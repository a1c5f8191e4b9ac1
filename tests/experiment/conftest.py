"""Fixtures of experiments: one scheduler for each file of tests, one folder for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.shell import Shell
from tests.experiment.lab import Lab


@pytest.fixture(scope="module")
def two_cores() -> Iterator[Shell]:
    """A terminal with a scheduler of two cores, which the tests of a file share."""
    terminal = Shell()
    del terminal.env["PYTHONDONTWRITEBYTECODE"]  # each task would compile all it imports
    try:
        terminal.ok("hstart", "2")
        yield terminal
    finally:
        terminal.close()


@pytest.fixture
def lab(two_cores: Shell, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A folder for scripts, at the shared scheduler."""
    number = sum(1 for _ in two_cores.home.iterdir())
    made = Lab(two_cores, f"lab{number}")
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def own_lab() -> Iterator[Lab]:
    """A folder for scripts, and no scheduler yet."""
    terminal = Shell()
    del terminal.env["PYTHONDONTWRITEBYTECODE"]
    made = Lab(terminal, "lab")
    try:
        yield made
    finally:
        made.close()
        terminal.close()
