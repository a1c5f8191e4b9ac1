"""What a job finds in its environment, and the plan that its shim gets.

Pure: from what the store remembers to bytes.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

from hsched.core.model import Allocation, JobId, Resource, array_index, format_job_id
from hsched.native.plan import Plan
from hsched.wire.message import raw, text
from hsched.wire.submit import Context, JobSpec

#: A job is taken by the kernel's OOM killer before the broker is.
_OOM_SCORE = 500


@dataclass(frozen=True, slots=True)
class Inherited:
    """What jobs with the same environment share; the content of an environment row."""

    variables: dict[str, str]
    umask: int
    limits: tuple[tuple[int, int, int], ...]

    @classmethod
    def parse(cls, content: str) -> Inherited:
        """Return what ``content``, from :func:`environment_content`, says."""
        value = json.loads(content)
        limits = tuple((n, soft, hard) for n, soft, hard in value["limits"])
        return cls(value["variables"], value["umask"], limits)


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


def slot_variables(resources: tuple[Resource, ...], held: Allocation) -> dict[str, str]:
    """Return ``QUEUEn`` for each resource, and the GPU variables where there are GPUs."""
    variables: dict[str, str] = {}
    for index, resource in enumerate(resources):
        slots = ",".join(map(str, held.slots[index]))
        amount = held.amounts[index] // resource.unit if resource.unit > 1 else held.amounts[index]
        variables[f"QUEUE{index}"] = slots if resource.numbered else str(amount)
        if resource.name == "gpus" and resource.numbered and (slots or resource.capacity):
            variables["CUDA_VISIBLE_DEVICES"] = slots
            variables["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"  # as NVML counts; CUDA does not
    return variables


def variables(
    inherited: Inherited, spec: JobSpec, who: Identity, slots: dict[str, str]
) -> dict[str, str]:
    """Return the whole environment of a job; what it set itself by ``--env`` wins."""
    own = {
        "HSCHED_JOB_ID": format_job_id(who.job_id),
        "HSCHED_RUN_ID": who.run,
        "HSCHED_NAME": who.scheduler,
        "HSCHED_ATTEMPT": str(who.attempt),
    }
    index = array_index(who.job_id)
    if index is not None:
        own["HSCHED_ARRAY_INDEX"] = str(index)
    return {**inherited.variables, **slots, **own, **(spec.environment or {})}


def plan(
    spec: JobSpec,
    cwd: str,
    inherited: Inherited,
    environment: dict[str, str],
    default: tuple[bytes, bytes],
) -> Plan:
    """Return what the shim must know; ``default`` holds the paths of streams not given."""
    folder = raw(cwd)
    out = default[0] if spec.stdout is None else raw(spec.stdout)
    err = default[1] if spec.stderr is None else raw(spec.stderr)
    return Plan(
        job_id=environment["HSCHED_JOB_ID"],
        cwd=folder,
        argv=tuple(raw(word) for word in spec.argv),
        shell=None if spec.shell is None else raw(spec.shell),
        environment={raw(name): raw(value) for name, value in environment.items()},
        umask=inherited.umask,
        limits=inherited.limits,
        stdin=None if spec.stdin is None else raw(spec.stdin),
        stdout=out,
        stderr=err,
        append=spec.append,
        grace_ms=int(spec.grace * 1000),
        leave_children=spec.leave_children,
        oom_score_adj=_OOM_SCORE,
    )


def log_paths(run_folder: str, job_id: JobId) -> tuple[bytes, bytes]:
    """Return where the output and errors of a job go that names no files."""
    stem = os.path.join(os.fsencode(run_folder), format_job_id(job_id).encode())
    return stem + b".out", stem + b".err"


def stream_paths(spec: JobSpec, cwd: str, run_folder: str, job_id: JobId) -> tuple[str, str]:
    """Return the absolute paths of a job's output and errors, as they travel."""
    default = log_paths(run_folder, job_id)
    chosen = (spec.stdout, spec.stderr)
    return tuple(  # type: ignore[return-value] # two in, two out
        text(log) if path is None else text(os.path.join(raw(cwd), raw(path)))
        for path, log in zip(chosen, default, strict=True)
    )
