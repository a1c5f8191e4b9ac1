"""Fixtures for tests that kill what must not be killed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.conftest import sched, shell
from tests.e2e.shell import Shell

__all__ = ["one", "sched", "shell"]


@pytest.fixture
def one(shell: Shell) -> Iterator[Shell]:  # the fixture
    """A scheduler of one slot, whose jobs may wait for ``go``."""
    shell.ok("hstart", "1")
    yield shell
    (shell.folder / "go").touch()
