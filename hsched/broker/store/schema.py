"""The tables, and the format's version.

A job's row has three groups of columns, each with a checksum of its own, because
they are written at different moments: *given* (at submission), *asked* (what can
be changed while it is pending) and *life* (how it goes).
"""

from __future__ import annotations

FORMAT_VERSION = 1

GIVEN = (
    "run",
    "id",
    "uid",
    "host",
    "kind",
    "name",
    "labels",
    "unique_key",
    "submitted_at",
    "environment",
    "cwd",
    "spec",
    "depends_on",
)
ASKED = ("priority", "held", "hold_reason", "request", "time_limit", "passed")
LIFE = (
    "state",
    "attempt",
    "allocation",
    "suspended",
    "started_at",
    "started_clock",
    "ended_at",
    "outcome",
    "exit_status",
    "signal",
    "errno",
    "reason",
    "tree_left",
    "cpu_s",
    "peak_memory_bytes",
    "peak_memory_kind",
)

TABLES = """
CREATE TABLE run (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,      -- its folder: YYYY-MM-DD/HH-MM-SS
    resources TEXT NOT NULL,        -- JSON
    options TEXT NOT NULL,          -- JSON
    started_at REAL NOT NULL,       -- all times: seconds since the epoch
    ended_at REAL,
    boot_id TEXT NOT NULL           -- of the last broker that wrote here
);

CREATE TABLE environment (
    number INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    content TEXT NOT NULL           -- JSON: variables, umask, limits
);

CREATE TABLE job (
    run INTEGER NOT NULL,
    id INTEGER NOT NULL,            -- hsched.core.model.JobId
    uid INTEGER NOT NULL,
    host TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT,
    labels TEXT NOT NULL,           -- JSON
    unique_key TEXT,
    submitted_at REAL NOT NULL,
    environment INTEGER NOT NULL,
    cwd TEXT NOT NULL,
    spec TEXT NOT NULL,             -- JSON: JobSpec as it was asked
    depends_on TEXT NOT NULL,       -- JSON: [[id, condition], ...]
    given_sum INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    held INTEGER NOT NULL,
    hold_reason TEXT NOT NULL,
    request TEXT NOT NULL,          -- JSON: amounts
    time_limit REAL,
    passed INTEGER NOT NULL,
    asked_sum INTEGER NOT NULL,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    allocation TEXT,                -- JSON: [slots, amounts]
    suspended INTEGER NOT NULL,
    started_at REAL,
    started_clock REAL,             -- monotonic seconds of that boot
    ended_at REAL,
    outcome TEXT,
    exit_status INTEGER,
    signal INTEGER,
    errno INTEGER,
    reason TEXT NOT NULL,
    tree_left TEXT,
    cpu_s REAL,
    peak_memory_bytes INTEGER,
    peak_memory_kind TEXT,
    life_sum INTEGER NOT NULL,
    PRIMARY KEY (run, id)
);
CREATE INDEX live_job ON job (run, id) WHERE state <> 'done';
CREATE INDEX ended_job ON job (ended_at) WHERE state = 'done';
CREATE INDEX named_job ON job (run, name) WHERE name IS NOT NULL;
CREATE INDEX unique_job ON job (run, unique_key) WHERE unique_key IS NOT NULL AND state <> 'done';

-- Replies by request key: what was asked twice is done once.
CREATE TABLE request (key TEXT PRIMARY KEY, reply BLOB NOT NULL, at REAL NOT NULL);
CREATE INDEX request_age ON request (at);
"""

#: Made where they are missing: stores of the same version from before them have none, and a
#: program from before them leaves them alone.
LATER_TABLES = """
CREATE TABLE IF NOT EXISTS device_use (
    run INTEGER NOT NULL,
    id INTEGER NOT NULL,
    peak_memory_bytes INTEGER,
    utilisation REAL,               -- percent
    untouched TEXT NOT NULL,        -- JSON: slots
    PRIMARY KEY (run, id)
);
CREATE TABLE IF NOT EXISTS promise (
    run INTEGER PRIMARY KEY,
    jobs TEXT NOT NULL,             -- JSON: ids of pending jobs that may have begun meanwhile
    jobs_sum INTEGER NOT NULL
);
"""
