"""What contenders have left, kept until all of them are measured.

A file system may make files slowly where many have just been removed, and that would
count against whoever comes next: ext4 without a journal passes over each inode that was
freed in the last minutes (`recently_deleted` in Linux, fs/ext4/ialloc.c), which makes a
new file cost up to forty times as much.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_attics: list[Path] = []


@contextmanager
def attic() -> Iterator[None]:
    """Keep what is put away until the block ends."""
    with tempfile.TemporaryDirectory(prefix="attic-", ignore_cleanup_errors=True) as folder:
        _attics.append(Path(folder))
        try:
            yield
        finally:
            _attics.pop()


def put_away(folder: Path) -> None:
    """Take a folder from where it is; without an attic it is removed."""
    if _attics:
        shutil.move(folder, Path(tempfile.mkdtemp(dir=_attics[-1])) / folder.name)
    else:
        shutil.rmtree(folder)
