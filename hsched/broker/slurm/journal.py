"""Which job of Slurm is which of ours: known from its comment, and written down besides.

Slurm forgets jobs after a while.  So what was handed over is a line of JSON in a file of
the run, on disk before anything is done about it: what stands there is never submitted
again, whoever has forgotten it.
"""

from __future__ import annotations

import json
import logging
import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hsched.core.job import Job
from hsched.core.model import JobId, array_index
from hsched.slurm.states import Phase, phase

log = logging.getLogger("hsched")


@dataclass(slots=True)
class Remote:
    """A job of ours as Slurm has it."""

    slurm_id: str
    index: int | None
    #: Which attempt it was submitted for; Slurm may have restarted it since.
    first: int
    #: What it was submitted with, so that a change is seen: see :func:`terms`.
    terms: list[Any]
    state: str = "PENDING"
    reason: str = ""
    nodes: str = ""
    started_at: float | None = None
    #: Whether Slurm was told to hold it.
    held: bool = False
    #: Whether Slurm was told to cancel it.
    cancelled: bool = False
    #: Whether it was withdrawn to be submitted anew, with other terms.
    replaced: bool = False
    #: When it was told to start soon after a requeue, which Slurm delays, on the monotonic clock.
    hurried_at: float = -math.inf
    #: Whether the last look did not find it.
    forgotten: bool = False
    #: When it was last known to be in Slurm, on the monotonic clock; 0 for not in this life.
    known_at: float = 0.0

    @property
    def address(self) -> str:
        """The id by which Slurm's commands know it."""
        return self.slurm_id if self.index is None else f"{self.slurm_id}_{self.index}"

    @property
    def phase(self) -> Phase:
        """Where it stood when it was seen last."""
        return phase(self.state)


def terms(job: Job) -> list[Any]:
    """Return what cannot be changed in place once a job is in Slurm's queue."""
    edges = sorted([one.upstream, one.condition.value] for one in job.dependencies)
    return [list(job.request.amounts), job.priority, job.time_limit_s, edges]


def is_changed(old: Sequence[Any], new: Sequence[Any]) -> bool:
    """Whether a pending job asks for something else now; edges that were met do not count."""
    return list(old[:3]) != list(new[:3]) or any(edge not in old[3] for edge in new[3])


class Journal:
    """The file.  The last line about a job counts."""

    def __init__(self, path: str) -> None:
        self._path = path

    def read(self) -> dict[JobId, Remote]:
        """Return what was handed over, as of the submission; a torn last line is none."""
        found: dict[JobId, Remote] = {}
        try:
            with open(self._path, encoding="utf-8") as file:
                lines = file.read().splitlines()
        except FileNotFoundError:
            return found
        for said in filter(None, map(_parsed, lines)):
            for number in said["jobs"]:
                job_id = JobId(number)
                if "slurm" in said:
                    found[job_id] = Remote(
                        said["slurm"], array_index(job_id), said["first"], said["terms"]
                    )
                elif job_id in found:
                    found[job_id].replaced = True
        return found

    def handed_over(self, jobs: Iterable[JobId], remote: Remote) -> None:
        """Write that these jobs are, each by its index, that job of Slurm."""
        said = {"slurm": remote.slurm_id, "first": remote.first, "terms": remote.terms}
        self._write({"jobs": list(jobs), **said})

    def withdrawn(self, job_id: JobId) -> None:
        """Write that a job is cancelled in Slurm in order to be submitted anew."""
        self._write({"jobs": [job_id], "replaced": True})

    def _write(self, said: dict[str, Any]) -> None:
        try:
            self._append(json.dumps(said).encode())
        except OSError as error:  # then the comment must tell, as long as Slurm knows the job
            log.error("cannot write to %s: %s", self._path, error.strerror)

    def _append(self, line: bytes) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, 0o600)
        try:
            # A line of its own, also after one that a crash has torn.
            os.write(descriptor, b"\n" + line + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        return dict(json.loads(line))
    except ValueError:
        return None
