"""From a task to what is submitted."""

from __future__ import annotations

import os
from collections.abc import Mapping

from hsched.experiment.endings import TIMEOUT_STATUS
from hsched.experiment.jobs import Job
from hsched.wire.message import text
from hsched.wire.submit import JobSpec

_SIGTERM = 15
_MAX_NAME = 255


def spec_of(job: Job, label: str, places: Mapping[str, str]) -> JobSpec:
    """Return the spec of a task; ``places`` are labels of tasks of the same batch, by folder.

    A live job of the same task, from whatever driver, is taken in its place.
    """
    assert job.launcher is not None
    asked = job.asked
    waits_for = [_condition(one, places) for one in job.dependencies if not one.state.finished]
    limit = asked.time_limit
    return JobSpec(
        slots=asked.slots,
        argv=tuple(_text(word) for word in job.launcher.command(job)),
        name=job.name[:_MAX_NAME],
        labels=(job.experiment,) if job.experiment else (),
        label=label,
        environment={_text(key): _text(value) for key, value in job.environ.items()} or None,
        stdout=_escaped(str(job.stdout)),
        stderr=_escaped(str(job.stderr)),
        append=True,
        dependencies=tuple(waits_for),
        priority=asked.priority,
        time_limit=limit,
        grace=asked.grace,
        warn_signal=None if limit is None else _SIGTERM,
        warn_before=0.0 if limit is None else warn_before(limit, asked.grace),
        retries=max(0, asked.max_retries - job.runs) if job.resumable else 0,
        retry_on=(TIMEOUT_STATUS,) if job.resumable else (),
        unique=job.unique_key(),
        engine_options=job.launcher.engine_options(job),
    )


def warn_before(limit: float, grace: float) -> float:
    """Return how many seconds before its limit a task is told to end."""
    return min(grace, limit / 2)


def _condition(upstream: Job, places: Mapping[str, str]) -> str:
    if upstream.relpath in places:
        return f"afterok:@{places[upstream.relpath]}"
    assert upstream.id is not None, "what it waits for was submitted before"
    return f"afterok:{upstream.id}"


def _escaped(path: str) -> str:
    return _text(path.replace("%", "%%"))


def _text(word: str) -> str:
    return text(os.fsencode(word))
