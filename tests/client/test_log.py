"""The last lines of a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from hsched.client import log
from hsched.wire.jobs import JobView

LONG = b"".join(b"%06d\n" % n for n in range(30_000))


def read(path: Path, last: int | None) -> bytes:
    job = JobView(id="7", run="r", scheduler="s", host="h", uid=1, state="done", request={})
    view = JobView(**{**job.as_dict(), "out": str(path)})
    return b"".join(log.contents(view, False, last))


@pytest.mark.parametrize(
    ("content", "last", "shown"),
    [
        (b"", None, b""),
        (b"", 3, b""),
        (b"a\nb\nc\n", None, b"a\nb\nc\n"),
        (b"a\nb\nc\n", 2, b"b\nc\n"),
        (b"a\nb\nc", 2, b"b\nc"),
        (b"a\nb\nc\n", 3, b"a\nb\nc\n"),
        (b"a\nb\nc\n", 9, b"a\nb\nc\n"),
        (b"a\nb\n", 0, b""),
        (b"a\nb", 0, b""),
        (b"\n\n\n", 2, b"\n\n"),
        (b"a", 1, b"a"),
        (LONG, 1, LONG[-7:]),
        (LONG, 20_000, LONG[-140_000:]),
        (LONG, 30_001, LONG),
        (b"x" * 200_000, 1, b"x" * 200_000),
    ],
)
def test_last_lines(tmp_path: Path, content: bytes, last: int | None, shown: bytes) -> None:
    (tmp_path / "f").write_bytes(content)
    assert read(tmp_path / "f", last) == shown
