"""Traces in Standard Workload Format: a job a line, 18 numbers, -1 for what is not known.

The format is that of the Parallel Workloads Archive.  Lines that start with ``;`` are
comments, and nothing is read from them.  A path that ends in ``.gz`` is unpacked.
"""

from __future__ import annotations

import gzip
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import TextIO, cast

from hsched.core.model import Resource
from hsched.errors import MalformedTrace, WrongUsage
from hsched.simulate import workload
from hsched.simulate.workload import TraceJob, Workload, is_too_large

FORMAT = "Standard Workload Format"
FIELDS = 18

#: Where a field stands in its line.
JOB, SUBMIT, RUN, ALLOCATED, REQUESTED, ESTIMATE, STATUS = 0, 1, 3, 4, 7, 8, 10

#: A job that was stopped and continued has a line as a whole, and one with such a
#: status for each of its parts.
_PARTS = frozenset((2.0, 3.0, 4.0))


def read_swf(path: str, resources: Sequence[Resource]) -> Workload:
    """Return the jobs of the trace at ``path`` that fit ``resources``, of which there is one.

    Raises:
        OSError: the file cannot be read.
        MalformedTrace: it is not in Standard Workload Format, or has no job.
        WrongUsage: there are several resources.
    """
    if len(resources) != 1:
        raise WrongUsage("a trace knows processors alone: --slots takes one number")
    with _open(path) as file:
        lines = list(_lines(path, file))
    if not lines:
        raise MalformedTrace(f"{path}: there is no job in it")
    left_out: Counter[str] = Counter()
    jobs = []
    for line in lines:
        job = line.job(resources[0])
        why = line.why_not() or (workload.TOO_LARGE if is_too_large(job.amounts, resources) else "")
        if why:
            left_out[why] += 1
        else:
            jobs.append(job)
    jobs.sort(key=lambda job: job.submit_s)
    first = jobs[0].submit_s if jobs else 0.0
    return Workload(tuple(replace(j, submit_s=j.submit_s - first) for j in jobs), left_out)


@dataclass(frozen=True, slots=True)
class _Line:
    """The fields of one line that matter here, as they stand there."""

    label: str
    submit_s: float
    run_s: float
    processors: int
    estimate_s: float
    status: float

    @classmethod
    def of(cls, words: Sequence[str]) -> _Line:
        processors = _whole(words[REQUESTED])
        return cls(
            label=words[JOB],
            submit_s=_number(words[SUBMIT]),
            run_s=_number(words[RUN]),
            processors=processors if processors > 0 else _whole(words[ALLOCATED]),
            estimate_s=_number(words[ESTIMATE]),
            status=_number(words[STATUS]),
        )

    def why_not(self) -> str:
        """Say why the line is no job that can be simulated; empty if it is one."""
        if self.status in _PARTS:
            return workload.A_PART
        if self.submit_s < 0:
            return workload.NO_SUBMIT_TIME
        if self.run_s < 0:
            return workload.NO_RUN_TIME
        return workload.NO_SIZE if self.processors <= 0 else ""

    def job(self, resource: Resource) -> TraceJob:
        """Return the job; a processor is one unit of ``resource``."""
        return TraceJob(
            label=self.label,
            submit_s=self.submit_s,
            run_s=self.run_s,
            estimate_s=self.estimate_s if self.estimate_s > 0 else self.run_s,
            amounts=(self.processors * resource.unit,),
        )


def _open(path: str) -> TextIO:
    # Comments may be in any encoding, and this one refuses no byte.
    if path.endswith(".gz"):
        return cast(TextIO, gzip.open(path, "rt", encoding="latin-1"))
    return open(path, encoding="latin-1")


def _lines(path: str, file: Iterable[str]) -> Iterator[_Line]:
    number = 0
    try:
        for number, line in enumerate(file, 1):  # noqa: B007 # it is named in the errors
            words = line.split()
            if not words or words[0].startswith(";"):
                continue
            if len(words) != FIELDS:
                raise ValueError(f"a job in {FORMAT} has {FIELDS} fields, this has {len(words)}")
            yield _Line.of(words)
    except ValueError as error:
        raise MalformedTrace(f"{path}: line {number}: {error}") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise MalformedTrace(f"{path}: it cannot be unpacked: {error}") from error


def _number(word: str) -> float:
    try:
        number = float(word)
    except ValueError:
        raise ValueError(f"`{word[:40]}` is no number") from None
    if not isfinite(number):
        raise ValueError(f"`{word[:40]}` is no number")
    return number


def _whole(word: str) -> int:
    number = _number(word)
    if not number.is_integer():
        raise ValueError(f"`{word[:40]}` is no number of processors")
    return int(number)
