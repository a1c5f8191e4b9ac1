"""Making a new store out of what can be read of a damaged one.

The damaged file is kept.  A row that cannot be read, or whose checksum does not
fit, is left out and counted: better a known gap than a wrong job.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hsched.broker.store import rows, schema
from hsched.broker.store.store import Store, job_of
from hsched.errors import StoreError

#: After unreadable rows the search goes on this far beyond, doubling from one row.
_FARTHEST_SKIP = 1 << 24


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What came of it: rows of each table, damaged ones left out, and where the old file is."""

    kept: dict[str, int]
    damaged: int
    old: str


def salvage(path: str) -> Salvaged:
    """Replace the store at ``path`` by a new one with all that can be read of it.

    The caller holds the place's lock.

    Raises:
        StoreError: there is no store, or nothing of it can be read.
    """
    if not os.path.exists(path):
        raise StoreError(f"{path}: there is no store to salvage")
    fresh = f"{path}.salvaged"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(fresh)
    new = Store(fresh)
    old = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    kept, damaged = {}, 0
    new.begin()
    for table in ("run", "environment", "job", "device_use", "promise"):
        kept[table] = 0
        for row in _readable(old, table):
            if not _is_sound(table, row):
                damaged += 1
                continue
            kept[table] += new.copy_row(table, row)
    new.commit()
    new.close()
    old.close()
    return Salvaged(kept, damaged, _swap(path, fresh))


def _swap(path: str, fresh: str) -> str:
    number = 1
    while os.path.exists(old := f"{path}.damaged-{number}"):
        number += 1
    for suffix in ("", "-wal"):
        with contextlib.suppress(FileNotFoundError):
            os.replace(path + suffix, old + suffix)
    os.replace(fresh, path)
    return old


def _readable(db: sqlite3.Connection, table: str) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a table that can be read, skipping over those that cannot."""
    last, skip = 0, 1
    while skip <= _FARTHEST_SKIP:
        query = f"SELECT rowid, * FROM {table} WHERE rowid > ? ORDER BY rowid"
        try:
            for row in db.execute(query, (last,)):
                last, skip = row[0], 1
                yield row[1:]
            return
        except sqlite3.DatabaseError:
            last += skip
            skip *= 2


def _is_sound(table: str, row: tuple[Any, ...]) -> bool:
    """Return whether the checksums of a row fit, where it has any."""
    if table == "promise":
        return rows.promise_of(*row[1:]) is not None
    return table != "job" or _is_sound_job(row)


def _is_sound_job(row: tuple[Any, ...]) -> bool:
    given_end = len(schema.GIVEN)
    asked_end = given_end + 1 + len(schema.ASKED)
    try:
        sums = tuple(rows.checksum(group) for group in job_of(row))
    except (TypeError, ValueError):
        return False
    return sums == (row[given_end], row[asked_end], row[-1])
