"""The last lines of a file."""

from __future__ import annotations

import select
from pathlib import Path

import pytest

from hsched import paths
from hsched.client import log
from hsched.client.inotify import Folders
from hsched.wire.jobs import JobView

LONG = b"".join(b"%06d\n" % n for n in range(30_000))


def _view(path: Path) -> JobView:
    job = JobView(id="7", run="r", scheduler="s", host="h", uid=1, state="done", request={})
    return JobView(**{**job.as_dict(), "out": str(path)})


def read(path: Path, last: int | None) -> bytes:
    return b"".join(log.contents(_view(path), False, last))


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


def test_what_another_host_writes_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "is_on_network", lambda path: path.startswith(str(tmp_path)))
    out = tmp_path / "out"
    with log.Tail(_view(out), False, None) as tail:
        assert list(tail.blocks()) == []
        out.write_text("a\n")  # by nobody that this host knows of
        for more in ("", "b\n"):
            with out.open("a") as file:
                file.write(more)
            assert select.select([tail.descriptor], [], [], 60)[0], "it looks again"
            assert b"".join(tail.blocks()).decode() == (more or "a\n")
    folders = Folders()
    assert not folders.add(str(tmp_path))
    folders.close()
