"""Which jobs get a jobserver, and what their shims start then.  Pure."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hsched.core.model import Allocation, JobId, Resource, format_job_id
from hsched.native import jobserver_command
from hsched.native.plan import Plan
from hsched.wire.submit import JobSpec


def slots(
    spec: JobSpec, options: dict[str, Any], resources: Sequence[Resource], held: Allocation
) -> int | None:
    """Return how many recipes of make a job may run at once; None where it gets no jobserver.

    These are its slots of ``cores``, or of the first resource where there are no cores.
    """
    if not (spec.jobserver or options.get("jobserver")) or not resources:
        return None
    names = [one.name for one in resources]
    position = names.index("cores") if "cores" in names else 0
    amount = held.amounts[position] // resources[position].unit
    return amount if resources[position].numbered and amount > 0 else None


def folder(run_folder: str, job_id: JobId, attempt: int) -> str:
    """Return the folder of what the processes of one attempt at a job share."""
    return os.path.join(folders(run_folder), f"{format_job_id(job_id)}-{attempt}")


def folders(run_folder: str) -> str:
    """Return where the folders of all jobs are; in most runs no job has made one."""
    return f"{run_folder}/leases"


def wrapped(plan: Plan, count: int, place: str) -> Plan:
    """Return the plan of the program that makes a jobserver and becomes the command."""
    line = plan.shell
    argv = plan.argv if line is None else (b"/bin/sh", b"-c", b"--", line)
    program = [os.fsencode(word) for word in jobserver_command()]
    return replace(plan, argv=(*program, b"%d" % count, os.fsencode(place), *argv), shell=None)
