"""Fixtures with real brokers and real jobs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.shell import Shell


@pytest.fixture
def shell() -> Iterator[Shell]:
    """A terminal without a scheduler; whatever the test starts is gone afterwards."""
    terminal = Shell()
    try:
        yield terminal
    finally:
        terminal.close()


@pytest.fixture
def sched(shell: Shell) -> Shell:
    """A terminal with the scheduler of the README: 6 cores, 2 GPUs, 32 GiB."""
    shell.ok("hstart", "6,2,32")
    return shell
