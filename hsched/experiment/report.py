"""What a person reads when tasks have failed: which, of what, why, and where there is more."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from hsched.experiment import files
from hsched.experiment.endings import DEPENDENCY
from hsched.experiment.graph import named_values
from hsched.experiment.jobs import Job
from hsched.experiment.state import is_config

#: So many failures are told at length.
_AT_LENGTH = 5
_LINES = 10
_WIDTH = 200


def failure_report(name: str, failed: Sequence[Job], total: int) -> str:
    """Return the report on an experiment of ``total`` tasks, some of which ``failed``."""
    own = [job for job in failed if job.failure is None or job.failure.reason != DEPENDENCY]
    blocked = len(failed) - len(own)
    also = f", and {blocked} did not run because of {'it' if len(own) == 1 else 'them'}"
    lines = [f"experiment {name}: {len(own)} of {total} tasks failed{also if blocked else ''}"]
    for job in own[:_AT_LENGTH]:
        lines += ["", *_of_job(job)]
    if len(own) > _AT_LENGTH:
        others = len(own) - _AT_LENGTH
        workspace = shlex.quote(str(own[0].workspace.path))
        show = f"hsched experiments show {shlex.quote(name)} --failed -w {workspace}"
        lines += ["", f"and {others} more: {show}"]
    return "\n".join(lines)


def _of_job(job: Job) -> Iterator[str]:
    failure = job.failure
    why = "" if failure is None else f" ({failure.reason}: {failure.message or failure.code})"
    yield f"{job.kind}{why}"
    for parameter, value in named_values(job.config):
        yield f"  {parameter} = {_shown(value)}"[:_WIDTH]
    if job.tags:
        yield "  tags: " + ", ".join(f"{name}={value}" for name, value in job.tags.items())
    last = files.last_lines(job.stderr, _LINES)
    if last:
        yield f"  the last lines of {job.stderr.name}:"
        yield from (f"    {line}" for line in last)
    more = job.stderr if last else job.path
    yield f"  more: {'less' if last else 'ls -la'} {shlex.quote(str(more))}"


def _shown(value: Any) -> str:
    return f"{type(value).__qualname__}(...)" if is_config(value) else repr(value)
