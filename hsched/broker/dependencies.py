"""From the words of ``--dep`` to edges, and how finished upstream jobs ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hsched.broker.selection import of_id
from hsched.core.model import (
    Condition,
    Dependency,
    JobId,
    Outcome,
    array_index,
    job_id,
    parse_job_id,
)
from hsched.errors import NoSuchJob, WrongUsage
from hsched.wire.submit import JobSpec

if TYPE_CHECKING:
    from hsched.broker.broker import Broker


@dataclass(frozen=True, slots=True)
class Batch:
    """The jobs of one submission: their labels, their numbers, and what they look back on."""

    labels: dict[str, JobId]
    ids: frozenset[JobId]
    finished: dict[JobId, Outcome] = field(default_factory=dict)


def batch(specs: Sequence[JobSpec], numbers: Sequence[int]) -> Batch:
    """Return the batch of ``specs``.

    Raises:
        WrongUsage: a label stands twice.
    """
    labels: dict[str, JobId] = {}
    for number, spec in zip(numbers, specs, strict=True):
        if spec.label is not None and labels.setdefault(spec.label, job_id(number)) != job_id(
            number
        ):
            raise WrongUsage(f"label @{spec.label} stands twice in the batch")
    return Batch(labels, frozenset(job_id(number) for number in numbers))


def resolve(broker: Broker, word: str, among: Batch) -> Dependency:
    """Return the edge that ``word`` (``7``, ``afterok:7``, ``afterany:@label``) means.

    How an upstream that is done had ended is noted in ``among.finished``.

    Raises:
        WrongUsage: it is no such word.
        NoSuchJob: this run never gave out the id.
    """
    condition, upstream = parse(word, among)
    if upstream not in among.ids and not of_id(broker, upstream):
        note_finished(broker, upstream, among)
    return Dependency(upstream, condition)


def parse(word: str, among: Batch) -> tuple[Condition, JobId]:
    """Return the condition and the id in ``word``.

    Raises:
        WrongUsage: it holds none.
    """
    head, colon, tail = word.rpartition(":")
    try:
        condition = Condition(head) if colon else Condition.AFTERANY
    except ValueError:
        known = ", ".join(one.value for one in Condition)
        raise WrongUsage(f"`{head}` is no condition of a dependency; there are {known}") from None
    if tail.startswith("@"):
        if tail[1:] not in among.labels:
            raise WrongUsage(f"no job of this batch has the label {tail}")
        return condition, among.labels[tail[1:]]
    try:
        return condition, parse_job_id(tail)
    except WrongUsage:
        raise WrongUsage(f"`{tail}` is no job id; was the variable empty?") from None


def note_finished(broker: Broker, upstream: JobId, among: Batch) -> None:
    """Look an upstream up that is not live; an array as a whole by its elements."""
    rows = [broker.store.job(broker.run.number, upstream)]
    if rows[0] is None and array_index(upstream) is None:
        span = (broker.run.number, upstream, upstream + (1 << 21))
        rows = list(broker.store.select_jobs("run = ? AND id > ? AND id < ?", span, "ORDER BY id"))
    for row in rows:
        outcome = None if row is None else row.life.outcome_or_none()
        if row is None or outcome is None:
            raise NoSuchJob(f"dependency: couldn't find job {upstream >> 21}")
        among.finished[row.given.id] = outcome
    if not rows:
        raise NoSuchJob(f"dependency: couldn't find job {upstream >> 21}")
