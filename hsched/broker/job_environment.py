"""What a job finds in its environment, and the plan that its shim gets.

Pure: from what the store remembers to bytes.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

from hsched.broker import patterns
from hsched.core.model import JobId, array_index, format_job_id
from hsched.native.plan import Plan, Streams, encode_environment
from hsched.wire.message import raw, text
from hsched.wire.submit import Context, JobSpec

#: A job is taken by the kernel's OOM killer before the broker is.
_OOM_SCORE = 500


@dataclass(frozen=True, slots=True)
class Inherited:
    """What jobs with the same environment share, ready for their plans."""

    names: frozenset[str]
    variables: dict[str, str]
    encoded: bytes
    umask: int
    limits: tuple[tuple[int, int, int], ...]

    @classmethod
    def parse(cls, content: str) -> Inherited:
        """Return what ``content``, from :func:`environment_content`, says."""
        value = json.loads(content)
        variables = value["variables"]
        limits = tuple((n, soft, hard) for n, soft, hard in value["limits"])
        encoded = encode_environment(_raw(variables))
        return cls(frozenset(variables), variables, encoded, value["umask"], limits)

    def fields(self, own: dict[str, str]) -> tuple[dict[bytes, bytes], bytes]:
        """Return ``own`` variables and the shared ones, none of them twice: ``own`` wins."""
        if self.names.isdisjoint(own):
            return _raw(own), self.encoded
        return _raw({**self.variables, **own}), b""


def environment_content(context: Context) -> str:
    """Return what is stored once for all jobs that share it."""
    value = {
        "variables": context.environment,
        "umask": context.umask,
        "limits": [list(limit) for limit in context.limits],
    }
    return json.dumps(value, sort_keys=True)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a job is: its scheduler, its run, its id and which attempt this is."""

    scheduler: str
    run: str
    job_id: JobId
    attempt: int


def own_variables(
    spec: JobSpec, who: Identity, slots: dict[str, str], run_folder: str
) -> dict[str, str]:
    """Return what a job finds besides what it inherits; what it set by ``--env`` wins."""
    own = {
        **slots,
        "HSCHED_RUN_ID": who.run,
        "HSCHED_NAME": who.scheduler,
        **id_variables(who),
    }
    if spec.kind == "task":
        own |= _task_variables(spec, run_folder, slots)
    if spec.environment:
        own.update(spec.environment)
    return own


def id_variables(who: Identity) -> dict[str, str]:
    """Return what no other attempt of the run finds."""
    variables = {"HSCHED_JOB_ID": format_job_id(who.job_id), "HSCHED_ATTEMPT": str(who.attempt)}
    index = array_index(who.job_id)
    if index is not None:
        variables["HSCHED_ARRAY_INDEX"] = str(index)
    return variables


def _task_variables(spec: JobSpec, run_folder: str, slots: dict[str, str]) -> dict[str, str]:
    """Return what the ``${...}`` of a task stand for."""
    name = spec.name or ""
    return {
        "HSCHED_RUN_DIR": run_folder,
        "HSCHED_TASK_NAME": name.rpartition("/")[2],
        "HSCHED_FULLNAME": name,
        "HSCHED_FULLPATH": os.path.join(run_folder, name),
        "HSCHED_DEVICE_IDS": slots.get("CUDA_VISIBLE_DEVICES", ""),
    }


def streams(spec: JobSpec, who: Identity, run_folder: str) -> Streams:
    """Return the files of a job, as its plan has them."""
    logs = log_paths(run_folder, who.job_id, spec.log_folder)
    filled = patterns.filled(spec, who.job_id, who.scheduler)
    return Streams(
        None if filled.stdin is None else raw(filled.stdin),
        logs[0] if filled.stdout is None else raw(filled.stdout),
        logs[1] if filled.stderr is None else raw(filled.stderr),
    )


def plan(
    spec: JobSpec, cwd: str, inherited: Inherited, own: dict[str, str], files: Streams
) -> Plan:
    """Return what the shim must know of the job that its ``own`` variables name."""
    environment, shared = inherited.fields(own)
    return Plan(
        job_id=own["HSCHED_JOB_ID"],
        cwd=raw(cwd),
        argv=tuple(raw(word) for word in spec.argv),
        shell=None if spec.shell is None else raw(spec.shell),
        environment=environment,
        shared_environment=shared,
        umask=inherited.umask,
        limits=inherited.limits,
        stdin=files.stdin,
        stdout=files.stdout,
        stderr=files.stderr,
        append=spec.append,
        grace_ms=int(spec.grace * 1000),
        leave_children=spec.leave_children,
        oom_score_adj=_OOM_SCORE,
    )


def _raw(variables: dict[str, str]) -> dict[bytes, bytes]:
    return {raw(name): raw(value) for name, value in variables.items()}


def log_paths(run_folder: str, job_id: JobId, folder: str | None) -> tuple[bytes, bytes]:
    """Return where the output and errors of a job go that names no files.

    ``folder`` is that of a job with a name, below the run's.
    """
    if folder is not None:
        stem = os.path.join(os.fsencode(run_folder), raw(folder), b"")
        return stem + b"stdout.log", stem + b"stderr.log"
    stem = os.path.join(os.fsencode(run_folder), format_job_id(job_id).encode())
    return stem + b".out", stem + b".err"


def stream_paths(spec: JobSpec, cwd: str, run_folder: str, job_id: JobId) -> tuple[str, str]:
    """Return the absolute paths of a job's output and errors, as they travel."""
    default = log_paths(run_folder, job_id, spec.log_folder)
    chosen = (spec.stdout, spec.stderr)
    return tuple(  # type: ignore[return-value] # two in, two out
        text(log) if path is None else text(os.path.join(raw(cwd), raw(path)))
        for path, log in zip(chosen, default, strict=True)
    )
