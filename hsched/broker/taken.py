"""What shims took while no broker listened: found in the records by the next one.

A job that was taken from the offers is pending in the store until its shim has told of
it.  Its record proves more: it has the name of the record in it, where no other has one,
and the same shim as the record of the job on whose slots it began.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from hsched.broker import records, remains
from hsched.broker.offers import Offer
from hsched.core.model import JobId, parse_job_id
from hsched.native.record import Record, Started

#: For how long a shim may be taking an offer, in seconds, before it is looked at more closely.
CHOICE_S = 5.0


class Taken(NamedTuple):
    """An offer that was taken, and how far it came."""

    offer: Offer
    record: Record


def find(folder: str) -> dict[str, Taken]:
    """Return all that were taken by the names in them, also those that the store knows of."""
    found: dict[str, Taken] = {}
    paths = [os.path.join(folder, entry) for entry in os.listdir(folder)]
    for path in paths:
        _settle(path)
    for path in paths:
        record = records.read(path)
        if record is not None and record.started is not None and record.started.name is not None:
            name = record.started.name
            word, _, attempt = name.rpartition("-")
            found[name] = Taken(Offer(parse_job_id(word), int(attempt), path), record)
    return found


def followers(before: Mapping[JobId, Record], taken: Iterable[Taken]) -> dict[JobId, Offer]:
    """Return what was taken by the job on whose slots it began.

    ``before`` are the records of those whose slots the store knows.
    """
    lines: dict[Started, list[Taken]] = {}
    for one in taken:
        lines.setdefault(_shim(one.record), []).append(one)
    behind: dict[JobId, Offer] = {}
    for job_id, record in before.items():
        if record.started is not None:
            # All that are laid out at one time are taken in the order of their ids.
            for one in sorted(lines.pop(_shim(record), ()), key=lambda one: one.offer.job_id):
                behind[job_id] = one.offer
                job_id = one.offer.job_id
    return behind


def end_if_stopped(path: str) -> None:
    """Kill the shim of the record at ``path`` if somebody stopped it while it took an offer."""
    record = records.read(path)
    if record is None or not record.is_choosing or record.started is None:
        return
    process = remains.process(record.started.pid)
    if process is not None and process.state in "Tt" and records.is_held(path):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)


def _settle(path: str) -> None:
    """Wait until no shim is taking an offer while it has this record."""
    deadline = time.monotonic() + CHOICE_S
    while (record := records.read(path)) is not None and record.is_choosing:
        if not records.is_held(path):
            return
        if time.monotonic() > deadline:
            end_if_stopped(path)
        time.sleep(0.001)


def _shim(record: Record) -> Started:
    assert record.started is not None, "nobody began it"
    return record.started._replace(name=None)
