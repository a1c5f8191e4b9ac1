"""The folder of a task, as the driver writes it before the task is submitted.

``params.json`` and the script ``NAME.py``; the task's own process makes the rest.
Each file is put in its place as a whole.  A task that is running is left alone.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

from hsched.errors import WrongUsage
from hsched.experiment import files, params
from hsched.experiment.jobs import Job
from hsched.experiment.specs import warn_before

_SCRIPT = '''\
#!{interpreter}
"""Runs a task; hsched writes this when the task is submitted.

To run it by hand: {script}
"""
import sys

sys.path[:] = {path}

from hsched.experiment.runner import main

main(__file__, {run})
'''


def write(job: Job) -> None:
    """Write the folder of a task that is about to be submitted.

    Raises:
        WrongUsage: it cannot be written.
    """
    try:
        if _make(job.path):
            _write(job)
            return
        lock = files.Lock(job.lock_path)
        if lock.try_acquire():  # else it runs, and has all this
            try:
                _rotate(job)
                _write(job)
            finally:
                lock.release()
    except OSError as error:
        raise WrongUsage(f"{error.filename or job.path}: {error.strerror}") from error


def _make(path: Path) -> bool:
    """Make the folder; whether it is new."""
    try:
        os.makedirs(path)
        return True
    except FileExistsError:
        return False


def _write(job: Job) -> None:
    files.write_whole(job.path / "params.json", params.text(job.config))
    files.write_whole(job.script, _script(job), 0o777)


def _script(job: Job) -> str:
    return _SCRIPT.format(
        interpreter=job.interpreter,
        script=job.script,
        path=_listed(search_path()),
        run=repr(run_of(job)),
    )


def search_path() -> tuple[str, ...]:
    """Return where this process finds modules, in absolute paths."""
    return tuple(dict.fromkeys(os.path.abspath(entry) for entry in sys.path))


@lru_cache(maxsize=4)
def _listed(entries: tuple[str, ...]) -> str:
    return "[\n" + "".join(f"    {entry!r},\n" for entry in entries) + "]"


def run_of(job: Job) -> dict[str, Any]:
    """Return what the process of a task must know besides its parameters."""
    limit, grace = job.asked.time_limit, job.asked.grace
    run: dict[str, Any] = {"name": job.name, "type": job.kind, "resumable": job.resumable}
    if limit is not None:
        run |= {"time_limit": limit, "warned": warn_before(limit, grace)}
    run["grace"] = grace
    if job.tokens:
        run["tokens"] = job.tokens
    return run


def _rotate(job: Job) -> None:
    """Keep what an earlier run has written, under the time of its end."""
    for log in (job.stdout, job.stderr):
        with contextlib.suppress(FileNotFoundError):
            found = log.stat()
            if found.st_size:
                when = time.strftime("%Y%m%d%H%M%S", time.localtime(found.st_mtime))
                log.rename(log.with_name(f"{job.name}.{when}{log.suffix}"))
