"""A terminal, and what tests of tasks need in it."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import shell
from tests.e2e.shell import Shell

__all__ = ["lab", "shell"]


@pytest.fixture
def lab(shell: Shell) -> Shell:
    """A terminal with a scheduler of 4 cores; `python` there is that of the tests."""
    shell.ok("hstart", "cores=4")
    return shell
