"""From the words of ``--dep`` to edges, and how finished upstream jobs ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hsched.broker import selection
from hsched.broker.selection import Meaning
from hsched.core.model import (
    Condition,
    Dependency,
    JobId,
    Outcome,
    State,
    array_index,
    format_job_id,
    job_id,
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
    looked_up: set[JobId] = field(default_factory=set)


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


def resolve_all(broker: Broker, words: Iterable[str], among: Batch) -> tuple[Dependency, ...]:
    """Return the edges that the words of ``--dep`` mean, each once.

    ``7``, ``afterok:last~1`` and ``after:@label`` are one edge each; ``afterok:label:night``
    and ``name:prepare`` are one for each job of the group that is live now.  How an upstream
    that is done had ended is noted in ``among.finished``.

    Raises:
        WrongUsage: a word makes no sense.
        NoSuchJob: this run never gave out the id, or never had a job of the group.
    """
    edges = [edge for word in words for edge in _resolve(broker, word, among)]
    return tuple(dict.fromkeys(edges))


def _resolve(broker: Broker, word: str, among: Batch) -> list[Dependency]:
    condition, upstream = parse(word)
    group = selection.group(upstream)
    if group is not None:
        return [Dependency(one, condition) for one in _group(broker, upstream, group)]
    identity = _identity(broker, upstream, among)
    is_known = identity in among.ids or identity in among.looked_up
    if not is_known and broker.scheduler.find(identity) is None:
        note_finished(broker, identity, among)
    return [Dependency(identity, condition)]


def parse(word: str) -> tuple[Condition, str]:
    """Return the condition, and the word for the upstream, in a word of ``--dep``.

    Raises:
        WrongUsage: the condition is none.
    """
    head, colon, tail = word.partition(":")
    if not colon or head in ("name", "label"):
        return Condition.AFTERANY, word
    try:
        return Condition(head), tail
    except ValueError:
        known = ", ".join(one.value for one in Condition)
        raise WrongUsage(f"`{head}` is no condition of a dependency; there are {known}") from None


def _identity(broker: Broker, word: str, among: Batch) -> JobId:
    if word.startswith("@"):
        if word[1:] not in among.labels:
            raise WrongUsage(f"no job of this batch has the label {word}")
        return among.labels[word[1:]]
    identity = selection.id_of(word, broker.last_number)
    if identity is None:
        raise WrongUsage(f"`{word}` is no job id; was the variable empty?")
    return identity


def _group(broker: Broker, word: str, group: Meaning) -> list[JobId]:
    """Return the live jobs of a group; none where all are done."""
    found = sorted(selection.live_ones(broker, group))
    if not found:
        values = (broker.run.number, *group.values)
        if not broker.store.select_jobs(f"run = ? AND {group.condition}", values, "LIMIT 1"):
            raise NoSuchJob(f"dependency: no job of this run is called {word}")
    return found


def note_finished(broker: Broker, upstream: JobId, among: Batch) -> None:
    """Look up how an upstream ended that is not live, or what has ended of an array.

    Of an array, one element that did not succeed tells all there is to know.

    Raises:
        NoSuchJob: this run never gave out the id.
    """
    run = broker.run.number
    among.looked_up.add(upstream)
    found = broker.store.job(run, upstream)
    rows = [] if found is None else [found]
    if found is None and array_index(upstream) is None:
        first = "ORDER BY id LIMIT 1"
        failed = "state = 'done' AND outcome <> 'succeeded'"
        rows = broker.store.elements(run, upstream, first, failed)
        rows = rows or broker.store.elements(run, upstream, first)
    if not rows:
        raise NoSuchJob(f"dependency: couldn't find job {format_job_id(upstream)}")
    for row in rows:
        outcome = row.life.outcome_or_none() if row.life.state == State.DONE.value else None
        if outcome is not None:
            among.finished[row.given.id] = outcome
