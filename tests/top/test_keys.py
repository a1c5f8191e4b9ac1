"""Keys, from what terminals send."""

from __future__ import annotations

import pytest

from hsched.cli.top.keys import Keys

SENT = {
    b"\x1b[A": "up",
    b"\x1bOB": "down",
    b"\x1b[5~": "page up",
    b"\x1b[6~": "page down",
    b"\x1b[1~": "home",
    b"\x1b[F": "end",
    b"\r": "enter",
    b"\x7f": "back",
    "ä".encode(): "ä",
    b"q": "q",
}


@pytest.mark.parametrize("data", SENT, ids=repr)
def test_a_key_may_come_in_pieces(data: bytes) -> None:
    keys = Keys()
    assert keys.feed(data) == [SENT[data]]
    found = []
    for byte in data:
        found += keys.feed(bytes([byte]))
    assert found == [SENT[data]]
    assert not keys.is_open


def test_keys_that_come_together_and_those_without_a_meaning() -> None:
    keys = Keys()
    assert keys.feed(b"a\x1b[A\x1b[1;5Cb\x1b[15~\x1bOPk") == ["a", "up", "b", "k"]


def test_escape_alone_is_known_after_a_while() -> None:
    keys = Keys()
    assert keys.feed(b"\x1b") == []
    assert keys.is_open
    assert keys.flush() == ["escape"]
    assert keys.flush() == []
    assert keys.feed(b"\x1b\x1b[A") == ["escape", "up"]
