"""Memory as it is typed."""

from __future__ import annotations

import pytest

from hsched.errors import WrongUsage
from hsched.tasks.memory import Memory, memory


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (0, Memory()),
        (20000, Memory(20000 << 20)),
        ("20000", Memory(20000 << 20)),
        (0.5, Memory(0, 0.5)),
        ("0.5", Memory(0, 0.5)),
        ("1.0", Memory(0, 1.0)),
        ("20G", Memory(20 << 30)),
        ("1.5gib", Memory(3 << 29)),
        ("512 MB", Memory(512 << 20)),
    ],
)
def test_it_means(given: str | float, meant: Memory) -> None:
    assert memory(given) == meant


@pytest.mark.parametrize("given", ["", "much", "-1", -1, "20X", "1e9", "nan", "0x10", "1.2.3"])
def test_what_is_none_is_told(given: str | float) -> None:
    with pytest.raises(WrongUsage, match="no amount of memory"):
        memory(given)
