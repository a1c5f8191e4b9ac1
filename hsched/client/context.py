"""What a job inherits from the process that submits it.

Less what belongs to a job that this process is itself part of: its ids, its slots,
its GPUs and its jobserver.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Mapping

from hsched.wire.message import text
from hsched.wire.submit import Context

#: Variables that hsched gives to a job; the next job gets its own.
_JOBS_OWN = (
    "HSCHED_JOB_ID",
    "HSCHED_RUN_ID",
    "HSCHED_NAME",
    "HSCHED_ATTEMPT",
    "HSCHED_ARRAY_INDEX",
    "HSCHED_RUN_DIR",
    "HSCHED_TASK_NAME",
    "HSCHED_FULLNAME",
    "HSCHED_FULLPATH",
    "HSCHED_DEVICE_IDS",
    "HSCHED_LEASE",
)
_GPUS = ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER")
_JOBSERVER = ("MAKEFLAGS", "MFLAGS", "CARGO_MAKEFLAGS", "MAKELEVEL")

_LIMITS = tuple(
    getattr(resource, name)
    for name in (
        "RLIMIT_CPU",
        "RLIMIT_FSIZE",
        "RLIMIT_DATA",
        "RLIMIT_STACK",
        "RLIMIT_CORE",
        "RLIMIT_RSS",
        "RLIMIT_NPROC",
        "RLIMIT_NOFILE",
        "RLIMIT_MEMLOCK",
        "RLIMIT_AS",
        "RLIMIT_MSGQUEUE",
        "RLIMIT_NICE",
        "RLIMIT_RTPRIO",
        "RLIMIT_RTTIME",
        "RLIMIT_SIGPENDING",
    )
    if hasattr(resource, name)
)


def capture(export: tuple[str, ...] | None = None) -> Context:
    """Return the environment, working directory, umask and limits of this process.

    ``export`` lists the only variables to take, () none at all, None everything.
    """
    return Context(
        environment=_environment(os.environb, export),
        cwd=text(os.getcwdb()),
        umask=_umask(),
        limits=tuple((number, *resource.getrlimit(number)) for number in _LIMITS),
    )


def _environment(found: Mapping[bytes, bytes], export: tuple[str, ...] | None) -> dict[str, str]:
    everything = {text(name): text(value) for name, value in found.items()}
    if export is not None:
        return {name: everything[name] for name in export if name in everything}
    return without_outer_job(everything)


def without_outer_job(environment: dict[str, str]) -> dict[str, str]:
    """Return ``environment`` less what an outer job of hsched put there."""
    drop = {name for name in environment if _is_slot_variable(name)} | set(_JOBS_OWN)
    if "HSCHED_JOB_ID" in environment:
        drop.update(_GPUS)
        drop.update(name for name in _JOBSERVER if "jobserver" in environment.get(name, ""))
    return {name: value for name, value in environment.items() if name not in drop}


def _is_slot_variable(name: str) -> bool:
    return (name.startswith("QUEUE") and name[5:].isdigit()) or name.startswith("HSCHED_DONE_")


def _umask() -> int:
    # Asking by setting it would race with other threads; the kernel tells it.
    with open("/proc/self/status", encoding="ascii", errors="replace") as status:
        for line in status:
            if line.startswith("Umask:"):
                return int(line.split()[1], 8)
    return 0o022
