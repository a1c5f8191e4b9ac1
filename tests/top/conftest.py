"""Real brokers for the view on a real terminal; several tests share one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.shell import Shell


@pytest.fixture
def shell() -> Iterator[Shell]:
    """A HOME of its own; whatever the test starts is gone afterwards."""
    terminal = Shell()
    try:
        yield terminal
    finally:
        terminal.close()


@pytest.fixture(scope="module")
def desk() -> Iterator[Shell]:
    """A scheduler that the tests of a module share: 4 cores, 2 GPUs, 32 GiB."""
    terminal = Shell()
    try:
        terminal.ok("hstart", "cores=4,gpus=2,mem=32G")
        yield terminal
    finally:
        terminal.close()
