"""The files that a job of Slurm needs and makes: plan, claim and record, in the run's folder.

All nodes must see them.  A job's plan is there before it is submitted and goes first when
it is done: whatever Slurm starts late finds none, and ends.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace

from hsched.broker import jobserver, records
from hsched.core.model import JobId, format_job_id, job_number
from hsched.native import shim_command
from hsched.native.plan import Plan, encode_plan
from hsched.native.record import Record
from hsched.slurm.script import Script, is_from_slurm
from hsched.wire.submit import JobSpec

_ENV = b"env="


class Files:
    """The folder with the files of all jobs of a run."""

    def __init__(self, folder: str) -> None:
        """Use ``folder``, made here if it is missing."""
        self.folder = folder
        os.makedirs(folder, mode=0o700, exist_ok=True)

    @property
    def log(self) -> str:
        """What batch scripts complain of."""
        return self._path("batch.log")

    def write_plan(self, job_id: JobId, plan: Plan, spec: JobSpec) -> None:
        """Write what the shim of a job must know, less what the node adds.

        Raises:
            OSError: there is no room.
            ValueError: the plan holds a NUL byte.
        """
        content = encode_plan(_without_slots(plan, spec))
        fresh = self._path(f"{format_job_id(job_id)}.plan.new")
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, self._path(f"{format_job_id(job_id)}.plan"))

    def script(self, job_id: JobId, spec: JobSpec, first: int, gpus: bool, lease: str) -> str:
        """Return the batch script of a job, or of the elements of its array."""
        command = shim_command()
        own = spec.environment or {}
        return Script(
            folder=self.folder,
            number=job_number(job_id),
            first=first,
            retries=spec.retries,
            retry_on=spec.retry_on,
            shim=command if len(command) == 1 else [*command, "hsched-shim"],
            keeps=[name for name in own if is_from_slurm(name) and name.isidentifier()],
            gpus=gpus,
            lease=lease,
        ).text()

    def write_lease(self, job_id: JobId, attempt: int, lease: str) -> str | None:
        """Write what a job holds, for a hrun inside; return the path, None without room."""
        folder = jobserver.folder(os.path.dirname(self.folder), job_id, attempt)
        path = os.path.join(folder, "job")
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(f'["{format_job_id(job_id)}", {lease}]')
        except OSError:
            return None
        return path

    def is_claimed(self, job_id: JobId, attempt: int) -> bool:
        """Whether an attempt at a job was begun on some node."""
        return os.path.exists(f"{self.record_path(job_id, attempt)}.claim")

    def claimed_by(self, job_id: JobId, attempt: int) -> str:
        """Return the id of the job of Slurm that began an attempt; empty for none."""
        try:
            with open(f"{self.record_path(job_id, attempt)}.claim", encoding="ascii") as file:
                return file.read().strip()
        except FileNotFoundError:
            return ""

    def record(self, job_id: JobId, attempt: int) -> Record | None:
        """Return what the shim wrote about an attempt; None where it wrote nothing."""
        return records.read(self.record_path(job_id, attempt))

    def record_path(self, job_id: JobId, attempt: int) -> str:
        """Return the path of the record of one attempt."""
        return self._path(f"{format_job_id(job_id)}-{attempt}")

    def remove(self, job_id: JobId, attempts: int) -> None:
        """Remove what a done job leaves; the plan goes first, so that nothing can start late."""
        paths = [self._path(f"{format_job_id(job_id)}.plan")]
        for attempt in range(1, attempts + 1):
            record = self.record_path(job_id, attempt)
            paths += [record, f"{record}.plan", f"{record}.claim"]
        for path in paths:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)

    def _path(self, name: str) -> str:
        return os.path.join(self.folder, name)


def name_of(spec: JobSpec) -> str:
    """Return how a job is called in Slurm: its name, or its command's."""
    command = os.path.basename(spec.argv[0]) if spec.argv else "sh"
    named = spec.name or command or "hsched"
    plain = "".join(c if c.isprintable() and c.isascii() else "_" for c in named)
    return plain


def _without_slots(plan: Plan, spec: JobSpec) -> Plan:
    """Return ``plan`` without the variables that Slurm and the script set on the node."""
    chosen = {name.encode("utf-8", "surrogateescape") for name in spec.environment or {}}
    inherited = [one.removeprefix(_ENV) for one in plan.shared_environment.split(b"\0") if one]
    variables = dict(one.split(b"=", 1) for one in inherited) | dict(plan.environment)
    kept = {
        name: value
        for name, value in variables.items()
        if name in chosen or not (is_from_slurm(os.fsdecode(name)) or name == b"HSCHED_ATTEMPT")
    }
    return replace(plan, environment=kept, shared_environment=b"")
