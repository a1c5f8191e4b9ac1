"""Every block of docs/python.md runs as it stands."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.shell import Shell

PAGE = (Path(__file__).parents[2] / "docs/python.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)


@pytest.fixture(scope="module")
def reader() -> Iterator[Shell]:
    """A terminal with the scheduler that the page speaks of."""
    terminal = Shell()
    try:
        terminal.ok("hstart", "4,1,16")
        yield terminal
    finally:
        terminal.close()


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_a_block_runs(reader: Shell, block: str) -> None:
    (reader.folder / "block.py").write_text(block)
    assert reader.ok(sys.executable, "block.py")
    assert reader.jobs() == []
