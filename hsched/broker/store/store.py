"""Reading and writing the store, one transaction a turn.

Durable means: ``synchronous=FULL`` in WAL mode, so a commit that returned survives
a loss of power.  ``locking_mode=EXCLUSIVE`` keeps the WAL index in memory, which
also works where shared memory does not (network file systems).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache, partial
from typing import Any

from hsched.broker.devices.usage import DeviceUse
from hsched.broker.store import rows, schema
from hsched.broker.store.rows import Asked, Given, JobRow, Life, Run, StartOf
from hsched.core.model import JobId, Resource, array_span, format_job_id, job_number
from hsched.errors import StoreError

_JOB_COLUMNS = ", ".join(
    (*schema.GIVEN, "given_sum", *schema.ASKED, "asked_sum", *schema.LIFE, "life_sum")
)
_JOB_MARKS = ", ".join("?" for _ in _JOB_COLUMNS.split(","))
_INSERT_JOB = f"INSERT INTO job ({_JOB_COLUMNS}) VALUES ({_JOB_MARKS})"
_SELECT_JOB = f"SELECT {_JOB_COLUMNS} FROM job"
_SELECT_RUN = "SELECT number, name, resources, options, boot_id FROM run"
_SELECT_START = "SELECT environment, cwd, spec FROM job WHERE run = ? AND id = ?"
_UPDATE_GIVEN = (
    f"UPDATE job SET {', '.join(f'{c} = ?' for c in schema.GIVEN)}, given_sum = ?"
    " WHERE run = ? AND id = ?"
)
_UPDATE_ASKED = (
    f"UPDATE job SET {', '.join(f'{c} = ?' for c in schema.ASKED)}, asked_sum = ?"
    " WHERE run = ? AND id = ?"
)
_UPDATE_LIFE = (
    f"UPDATE job SET {', '.join(f'{c} = ?' for c in schema.LIFE)}, life_sum = ?"
    " WHERE run = ? AND id = ?"
)
_ID = schema.GIVEN.index("id")
_GIVEN_END = len(schema.GIVEN)
_ASKED_END = _GIVEN_END + 1 + len(schema.ASKED)


class Store:
    """The open store.  Writing methods need a transaction (:meth:`begin`)."""

    def __init__(self, path: str) -> None:
        """Open the store at ``path``, making it where there is none.

        Raises:
            StoreError: it is damaged, from a newer version, or cannot be written.
        """
        self.path = path
        try:
            if not os.path.exists(path):
                _make(path)
            elif not os.path.getsize(path):
                raise damaged(path, "it is empty")  # opening it would write to it
            self._connect()
        except sqlite3.OperationalError as error:
            raise StoreError(f"{path}: {error}; nothing was changed") from error
        except sqlite3.DatabaseError as error:
            raise damaged(path, str(error)) from error

    def ensure_on_disk(self) -> None:
        """Where the file was removed, write all it holds anew, and go on with that.

        Raises:
            sqlite3.Error: it could not be written.
        """
        if os.path.exists(self.path):
            return
        self.commit()
        fresh = f"{self.path}.new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(fresh)
        self._db.execute("VACUUM INTO ?", (fresh,))
        with open(fresh, "rb") as file:
            os.fsync(file.fileno())
        self._db.close()
        for stale in (f"{self.path}-wal", f"{self.path}-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(stale)  # it belongs to the file that was removed
        os.replace(fresh, self.path)
        self._connect()

    def close(self) -> None:
        """Close the file; an open transaction is undone."""
        self._db.close()

    @property
    def writing(self) -> bool:
        """Whether a transaction is open."""
        return self._db.in_transaction

    def begin(self) -> None:
        """Open a transaction, if none is."""
        if not self._db.in_transaction:
            self._db.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Make the transaction durable; nothing happens where none is open.

        Raises:
            sqlite3.Error: it could not be (disk full, say); the transaction is undone.
        """
        if not self._db.in_transaction:
            return
        try:
            self._db.execute("COMMIT")
        except sqlite3.Error:
            self.rollback()
            raise

    def rollback(self) -> None:
        """Undo the transaction, if one is open."""
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    # Runs

    def open_run(self) -> Run | None:
        """Return the run that was started and not stopped, if there is one."""
        query = f"{_SELECT_RUN} WHERE ended_at IS NULL ORDER BY number DESC LIMIT 1"
        row = self._db.execute(query).fetchone()
        return None if row is None else _run(row)

    def run_named(self, name: str) -> Run | None:
        """Return the run called ``name``, if there is one."""
        row = self._db.execute(f"{_SELECT_RUN} WHERE name = ?", (name,)).fetchone()
        return None if row is None else _run(row)

    def newest_run(self) -> Run | None:
        """Return the run that was started last, stopped or not."""
        row = self._db.execute(f"{_SELECT_RUN} ORDER BY number DESC LIMIT 1").fetchone()
        return None if row is None else _run(row)

    def add_run(
        self,
        name: str,
        resources: tuple[Resource, ...],
        options: dict[str, Any],
        at: tuple[float, str],
    ) -> Run:
        """Open a new run; ``at`` is the wall time and the boot id."""
        now, boot_id = at
        cursor = self._db.execute(
            "INSERT INTO run (name, resources, options, started_at, boot_id)"
            " VALUES (?, ?, ?, ?, ?)",
            (name, rows.resources_text(resources), json.dumps(options), now, boot_id),
        )
        assert cursor.lastrowid is not None
        return Run(cursor.lastrowid, name, resources, options, boot_id)

    def update_run(self, run: Run) -> None:
        """Write the resources, options and boot id of ``run``."""
        self._db.execute(
            "UPDATE run SET resources = ?, options = ?, boot_id = ? WHERE number = ?",
            (
                rows.resources_text(run.resources),
                json.dumps(run.options),
                run.boot_id,
                run.number,
            ),
        )

    def end_run(self, run: int, now: float) -> None:
        """Mark ``run`` as stopped."""
        self._db.execute("UPDATE run SET ended_at = ? WHERE number = ?", (now, run))

    def runs(self) -> list[tuple[Run, float, float | None]]:
        """Return all runs, the oldest first, and when each began and ended."""
        found = self._db.execute(
            "SELECT number, name, resources, options, boot_id, started_at, ended_at"
            " FROM run ORDER BY number"
        )
        return [(_run(row[:5]), *row[5:]) for row in found]

    def last_job_number(self, run: int) -> int:
        """Return the highest job number given out in ``run``, 0 for none."""
        row = self._db.execute("SELECT max(id) FROM job WHERE run = ?", (run,)).fetchone()
        return 0 if row[0] is None else job_number(JobId(row[0]))

    # Environments

    def add_environment(self, content: str) -> int:
        """Return the number of ``content``, stored now unless it was already."""
        digest = hashlib.sha256(content.encode("utf-8", "surrogatepass")).digest()
        row = self._db.execute(
            "SELECT number FROM environment WHERE digest = ?", (digest,)
        ).fetchone()
        if row is not None:
            return int(row[0])
        cursor = self._db.execute(
            "INSERT INTO environment (digest, content) VALUES (?, ?)", (digest, content)
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def environment(self, number: int) -> str | None:
        """Return the content of an environment, None where it was deleted in time."""
        row = self._db.execute(
            "SELECT content FROM environment WHERE number = ?", (number,)
        ).fetchone()
        return None if row is None else str(row[0])

    def forget_environments(self, before: float) -> None:
        """Delete the environments that no job needs which is live or ended after ``before``."""
        self._db.execute(
            "DELETE FROM environment WHERE number NOT IN"
            " (SELECT environment FROM job WHERE state <> 'done' UNION"
            "  SELECT environment FROM job WHERE state = 'done' AND ended_at > ?)",
            (before,),
        )

    # Jobs

    def add_jobs(self, jobs: Iterable[JobRow]) -> None:
        """Insert new jobs."""
        self._db.executemany(_INSERT_JOB, rows.inserted(jobs))

    def write_given(self, given: Given) -> None:
        """Write anew what a job was submitted with."""
        values = (*rows.all_stored(given), rows.checksum(given), given.run, given.id)
        self._db.execute(_UPDATE_GIVEN, values)

    def write_asked(self, run: int, job_id: JobId, asked: Asked) -> None:
        """Write what may change of a pending job."""
        self._db.execute(_UPDATE_ASKED, (*asked, rows.checksum(asked), run, job_id))

    def write_life(self, run: int, job_id: JobId, life: Life) -> None:
        """Write how a job goes."""
        self._db.execute(_UPDATE_LIFE, (*life, rows.checksum(life), run, job_id))

    def job(self, run: int, job_id: JobId) -> JobRow | None:
        """Return one job, live or done."""
        row = self._db.execute(f"{_SELECT_JOB} WHERE run = ? AND id = ?", (run, job_id)).fetchone()
        return None if row is None else job_of(row)

    def start_of(self, run: int, job_id: JobId) -> StartOf | None:
        """Return what a start needs of a job."""
        row = self._db.execute(_SELECT_START, (run, job_id)).fetchone()
        return None if row is None else StartOf._make(rows.all_loaded(row))

    def live_jobs(self, run: int) -> Iterator[JobRow]:
        """Yield the jobs that are not done, in order of id.

        Raises:
            StoreError: a row's checksum does not fit it.
        """
        found = self._db.execute(
            f"{_SELECT_JOB} WHERE run = ? AND state <> 'done' ORDER BY id", (run,)
        )
        # Most jobs agree in all but what they were given.
        asked_of = lru_cache(maxsize=1024)(partial(rows.sound, Asked))
        life_of = lru_cache(maxsize=1024)(partial(rows.sound, Life))
        for row in found:
            given = rows.sound(Given, row[: _GIVEN_END + 1])
            asked = asked_of(row[_GIVEN_END + 1 : _ASKED_END + 1])
            life = life_of(row[_ASKED_END + 1 :])
            if given is None or asked is None or life is None:
                raise damaged(self.path, f"the row of job {format_job_id(JobId(row[_ID]))}")
            yield JobRow(given, asked, life)

    def select_jobs(self, where: str, values: Sequence[Any], tail: str) -> list[JobRow]:
        """Return the jobs that an SQL condition chooses; ``tail`` orders and limits."""
        query = f"{_SELECT_JOB} WHERE {where} {tail}"
        return [job_of(row) for row in self._db.execute(query, list(map(rows.stored, values)))]

    def elements(self, run: int, whole: JobId, tail: str, also: str = "1") -> list[JobRow]:
        """Return the elements of an array for which ``also`` holds, chosen as above."""
        condition = f"run = ? AND id > ? AND id < ? AND {also}"
        return self.select_jobs(condition, (run, *array_span(whole)), tail)

    def ids(self, where: str, values: Sequence[Any]) -> list[JobId]:
        """Return the ids of the jobs that an SQL condition chooses, in order."""
        query = f"SELECT id FROM job WHERE {where} ORDER BY id"
        return [JobId(row[0]) for row in self._db.execute(query, list(map(rows.stored, values)))]

    def write_device_use(self, run: int, job_id: JobId, use: DeviceUse) -> None:
        """Write what a job did with its devices; of several attempts the last counts."""
        row = (run, job_id, use.peak_memory, use.utilisation, json.dumps(use.untouched))
        self._db.execute("INSERT OR REPLACE INTO device_use VALUES (?, ?, ?, ?, ?)", row)

    def device_use(self, run: int, job_id: JobId) -> DeviceUse | None:
        """Return what a job did with its devices, None where nobody knows."""
        query = "SELECT * FROM device_use WHERE run = ? AND id = ?"
        row = self._db.execute(query, (run, job_id)).fetchone()
        return None if row is None else DeviceUse(row[2], row[3], tuple(json.loads(row[4])))

    def promise(self, run: int, jobs: Sequence[JobId]) -> None:
        """Write which pending jobs may begin before their rows say so; no others may."""
        row = (run, *rows.promise_text(jobs))
        self._db.execute("INSERT OR REPLACE INTO promise VALUES (?, ?, ?)", row)

    def promised(self, run: int) -> frozenset[JobId]:
        """Return the jobs of which :meth:`promise` was told last.

        Raises:
            StoreError: the checksum does not fit it.
        """
        query = "SELECT jobs, jobs_sum FROM promise WHERE run = ?"
        row = self._db.execute(query, (run,)).fetchone()
        jobs = frozenset[JobId]() if row is None else rows.promise_of(*row)
        if jobs is None:
            raise damaged(self.path, "what was promised")
        return jobs

    def called(self, run: int, name: str) -> list[tuple[JobId, str]]:
        """Return the jobs of that name, in order, each with its state."""
        # Else SQLite prefers to read all live jobs, in the order that is asked for.
        query = "SELECT id, state FROM job INDEXED BY named_job WHERE run = ? AND name = ?"
        found = self._db.execute(query, (run, rows.stored(name)))
        return sorted((JobId(identity), state) for identity, state in found)

    # Requests that were done

    def recorded_reply(self, key: str) -> bytes | None:
        """Return the reply that was given to the request with ``key``, if it was done."""
        row = self._db.execute("SELECT reply FROM request WHERE key = ?", (key,)).fetchone()
        return None if row is None else bytes(row[0])

    def record_reply(self, key: str, reply: bytes, now: float) -> None:
        """Remember the reply to a request that changed something."""
        self._db.execute("INSERT INTO request (key, reply, at) VALUES (?, ?, ?)", (key, reply, now))

    def forget_requests(self, before: float) -> None:
        """Forget replies older than ``before``; no client asks for so long."""
        self._db.execute("DELETE FROM request WHERE at < ?", (before,))

    def copy_row(self, table: str, row: Sequence[Any]) -> int:
        """Insert a row of another store; return 1, or 0 where its key is there already."""
        marks = ", ".join("?" * len(row))
        return self._db.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row).rowcount

    # Opening

    def _connect(self) -> None:
        self._db = sqlite3.connect(
            self.path, timeout=0.0, isolation_level=None, cached_statements=64
        )
        _set_up(self._db)
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > schema.FORMAT_VERSION:
            raise StoreError(
                f"{self.path} is of format {version}, this hsched knows {schema.FORMAT_VERSION}; "
                "install the newer hsched, or set HSCHED_HOME to an empty folder"
            )
        (verdict,) = self._db.execute("PRAGMA quick_check(1)").fetchone()
        if version < 1 or verdict != "ok":
            raise damaged(self.path, "it has no tables" if version < 1 else str(verdict))
        self._db.executescript(schema.LATER_TABLES)


def damaged(path: str, how: str) -> StoreError:
    """Return the error for a store that must not be trusted, with the way out."""
    return StoreError(
        f"{path} is damaged ({how}); nothing was started; `hstart --salvage` makes a new store "
        "of all that can be read, and keeps the damaged file"
    )


def _make(path: str) -> None:
    """Make an empty store; it comes into being whole, so an empty file is always damage."""
    fresh = f"{path}.new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(fresh)
    db = sqlite3.connect(fresh, isolation_level=None)
    _set_up(db)
    db.executescript(
        f"BEGIN IMMEDIATE; {schema.TABLES} PRAGMA user_version = {schema.FORMAT_VERSION}; COMMIT;"
    )
    db.close()  # which also brings the write-ahead log into the file
    os.chmod(fresh, 0o600)
    os.replace(fresh, path)


def _set_up(db: sqlite3.Connection) -> None:
    for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL"):
        db.execute(f"PRAGMA {pragma}")


def _run(row: tuple[Any, ...]) -> Run:
    number, name, resources, options, boot_id = row
    return Run(number, name, rows.resources_of(resources), json.loads(options), boot_id)


def job_of(row: tuple[Any, ...]) -> JobRow:
    """Return the job that a row of all columns describes."""
    return JobRow(
        Given(*rows.all_loaded(row[:_GIVEN_END])),
        Asked(*row[_GIVEN_END + 1 : _ASKED_END]),
        Life(*row[_ASKED_END + 1 : -1]),
    )
