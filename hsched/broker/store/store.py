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
from typing import Any

from hsched.broker.store import rows, schema
from hsched.broker.store.rows import Asked, Given, JobRow, Life, Run
from hsched.core.model import JobId, Resource
from hsched.errors import StoreError

_JOB_COLUMNS = ", ".join(
    (*schema.GIVEN, "given_sum", *schema.ASKED, "asked_sum", *schema.LIFE, "life_sum")
)
_INSERT_JOB = f"INSERT INTO job ({_JOB_COLUMNS}) VALUES ({', '.join('?' * 36)})"
_SELECT_JOB = f"SELECT {_JOB_COLUMNS} FROM job"
_UPDATE_ASKED = (
    f"UPDATE job SET {', '.join(f'{c} = ?' for c in schema.ASKED)}, asked_sum = ?"
    " WHERE run = ? AND id = ?"
)
_UPDATE_LIFE = (
    f"UPDATE job SET {', '.join(f'{c} = ?' for c in schema.LIFE)}, life_sum = ?"
    " WHERE run = ? AND id = ?"
)
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
            self._connect()
        except sqlite3.Error as error:
            raise StoreError(f"{path}: {error}") from error

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
        row = self._db.execute(
            "SELECT number, name, resources, options, boot_id FROM run"
            " WHERE ended_at IS NULL ORDER BY number DESC LIMIT 1"
        ).fetchone()
        return None if row is None else _run(row)

    def run_named(self, name: str) -> Run | None:
        """Return the run called ``name``, if there is one."""
        row = self._db.execute(
            "SELECT number, name, resources, options, boot_id FROM run WHERE name = ?", (name,)
        ).fetchone()
        return None if row is None else _run(row)

    def newest_run(self) -> Run | None:
        """Return the run that was started last, stopped or not."""
        row = self._db.execute(
            "SELECT number, name, resources, options, boot_id FROM run ORDER BY number DESC LIMIT 1"
        ).fetchone()
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

    def last_job_number(self, run: int) -> int:
        """Return the highest job number given out in ``run``, 0 for none."""
        row = self._db.execute("SELECT max(id) FROM job WHERE run = ?", (run,)).fetchone()
        return 0 if row[0] is None else int(row[0]) >> 21

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
        self._db.executemany(_INSERT_JOB, (_values(job) for job in jobs))

    def write_asked(self, run: int, job_id: JobId, asked: Asked) -> None:
        """Write what may change of a pending job."""
        self._db.execute(_UPDATE_ASKED, (*asked, rows.checksum(asked), run, job_id))

    def write_life(self, run: int, job_id: JobId, life: Life) -> None:
        """Write how a job goes."""
        self._db.execute(_UPDATE_LIFE, (*life, rows.checksum(life), run, job_id))

    def job(self, run: int, job_id: JobId) -> JobRow | None:
        """Return one job, live or done."""
        row = self._db.execute(f"{_SELECT_JOB} WHERE run = ? AND id = ?", (run, job_id)).fetchone()
        return None if row is None else _job(row)

    def live_jobs(self, run: int) -> Iterator[JobRow]:
        """Yield the jobs that are not done, in order of id.

        Raises:
            StoreError: a row's checksum does not fit it.
        """
        found = self._db.execute(
            f"{_SELECT_JOB} WHERE run = ? AND state <> 'done' ORDER BY id", (run,)
        )
        for row in found:
            job = _job(row)
            if (row[_GIVEN_END], row[_ASKED_END], row[-1]) != tuple(
                rows.checksum(group) for group in job
            ):
                raise StoreError(f"{self.path}: the row of job {job.given.id >> 21} is damaged")
            yield job

    def select_jobs(self, where: str, values: Sequence[Any], tail: str) -> list[JobRow]:
        """Return the jobs that an SQL condition chooses; ``tail`` orders and limits."""
        query = f"{_SELECT_JOB} WHERE {where} {tail}"
        return [_job(row) for row in self._db.execute(query, values)]

    def ids(self, where: str, values: Sequence[Any]) -> list[JobId]:
        """Return the ids of the jobs that an SQL condition chooses, in order."""
        query = f"SELECT id FROM job WHERE {where} ORDER BY id"
        return [JobId(row[0]) for row in self._db.execute(query, values)]

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

    # Opening

    def _connect(self) -> None:
        self._db = sqlite3.connect(
            self.path, timeout=0.0, isolation_level=None, cached_statements=64
        )
        for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL"):
            self._db.execute(f"PRAGMA {pragma}")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            self._db.executescript(
                f"BEGIN IMMEDIATE; {schema.TABLES} PRAGMA user_version = {schema.FORMAT_VERSION};"
                " COMMIT;"
            )
        elif version > schema.FORMAT_VERSION:
            raise StoreError(
                f"{self.path} is of format {version}, this hsched knows {schema.FORMAT_VERSION}; "
                "install the newer hsched, or set HSCHED_HOME to an empty folder"
            )


def _run(row: tuple[Any, ...]) -> Run:
    number, name, resources, options, boot_id = row
    return Run(number, name, rows.resources_of(resources), json.loads(options), boot_id)


def _values(job: JobRow) -> tuple[Any, ...]:
    return (
        *job.given,
        rows.checksum(job.given),
        *job.asked,
        rows.checksum(job.asked),
        *job.life,
        rows.checksum(job.life),
    )


def _job(row: tuple[Any, ...]) -> JobRow:
    return JobRow(
        Given(*row[:_GIVEN_END]),
        Asked(*row[_GIVEN_END + 1 : _ASKED_END]),
        Life(*row[_ASKED_END + 1 : -1]),
    )
