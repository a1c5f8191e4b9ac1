"""``%j %x %a %n %%`` in the names of a job's files.  Pure.

``%j`` is the job's id as it was printed (``7``, and ``7.3`` in an array), ``%x`` its
name, or ``job`` where it has none, ``%a`` its index in its array, ``%n`` its scheduler's
name and ``%%`` a per cent sign.  A per cent sign before anything else stands for itself.
"""

from __future__ import annotations

import re

from hsched.core.model import JobId, array_index, format_job_id
from hsched.wire.submit import JobSpec

#: The pattern that only an element of an array has a value for.
ARRAY_INDEX = "%a"

_PATTERN = re.compile("%[jxan%]")


def used_in(*paths: str | None) -> set[str]:
    """Return the patterns in these paths."""
    return {found for path in paths if path and "%" in path for found in _PATTERN.findall(path)}


def filled(spec: JobSpec, job_id: JobId, scheduler: str) -> JobSpec:
    """Return ``spec`` with the values of one job in the names of its files.

    A slash in the job's name becomes ``_``: a name chooses no folder.
    """
    if not used_in(spec.stdin, spec.stdout, spec.stderr):
        return spec
    index = array_index(job_id)
    values = {
        "%j": format_job_id(job_id),
        "%x": (spec.name or "job").replace("/", "_"),
        ARRAY_INDEX: ARRAY_INDEX if index is None else str(index),
        "%n": scheduler,
        "%%": "%",
    }
    paths = {
        name: _PATTERN.sub(lambda found: values[found[0]], path)
        for name, path in (("stdin", spec.stdin), ("stdout", spec.stdout), ("stderr", spec.stderr))
        if path is not None
    }
    return JobSpec(**{**spec.as_dict(), **paths})


def need_folders(spec: JobSpec) -> bool:
    """Return whether folders are made for the outputs: a pattern names them, or the job's name."""
    return spec.log_folder is not None or bool(used_in(spec.stdout, spec.stderr))
