"""Which jobs the words of a command mean: ids, ranges, names and labels.

``7`` is a job or a whole array, ``7.3`` an element, ``3-10`` a range; ``last`` is the
job submitted last in this run, live or not, and ``last~2`` the one two before it.
``name:train`` or ``train`` means all jobs of that name, ``label:night`` those with that
label.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from hsched.core.model import (
    JobId,
    State,
    array_index,
    format_job_id,
    job_id,
    job_number,
    parse_job_id,
)
from hsched.errors import NoSuchJob, WrongUsage
from hsched.wire.choice import Choice, Chosen

if TYPE_CHECKING:
    from hsched.broker.broker import Broker

_RANGE = re.compile(r"(\d{1,12})-(\d{1,12})")
_ID = re.compile(r"\d+(\.\d+)?")
_LAST = re.compile(r"last(?:~(\d{1,12}))?")
_LABELLED = "EXISTS (SELECT 1 FROM json_each(job.labels) WHERE value = ?)"


class Meaning(NamedTuple):
    """What a word means: jobs of the run, as a condition of SQL.

    ``is_one`` where it names one job (or array), not whatever fits.
    """

    condition: str
    values: tuple[Any, ...]
    is_one: bool = False


def meaning(word: str, last: int) -> Meaning:
    """Return what ``word`` means where ``last`` is the newest job's number.

    Raises:
        WrongUsage: it is a range without end.
        NoSuchJob: it means a job before the first.
    """
    identity = id_of(word, last)
    if identity is not None:
        if array_index(identity) is not None:
            return Meaning("id = ?", (identity,), is_one=True)
        span = (identity, job_id(job_number(identity) + 1))
        return Meaning("(id >= ? AND id < ?)", span, is_one=True)
    if span_of_ids := _RANGE.fullmatch(word):
        first, final = int(span_of_ids[1]), int(span_of_ids[2])
        if first > final:
            raise WrongUsage(f"range {first}-{final} is empty")
        return Meaning("(id >= ? AND id < ?)", (job_id(first), job_id(final + 1)))
    return group(word) or Meaning("name = ?", (word,))


def id_of(word: str, last: int) -> JobId | None:
    """Return the id that ``word`` means where ``last`` is the newest job's number, if any.

    Raises:
        NoSuchJob: it is so far before the newest job that there is none.
    """
    if _ID.fullmatch(word):
        return parse_job_id(word)
    found = _LAST.fullmatch(word)
    if found is None:
        return None
    number = last - int(found[1] or 0)
    if number < 1:
        raise NoSuchJob(f"couldn't find job {word}: {last} were submitted in this run")
    return job_id(number)


def group(word: str) -> Meaning | None:
    """Return what ``name:NAME`` and ``label:LABEL`` mean, None for another word."""
    kind, colon, value = word.partition(":")
    if not colon or kind not in ("name", "label"):
        return None
    return Meaning("name = ?" if kind == "name" else _LABELLED, (value,))


def choose(broker: Broker, choice: Choice, fit: Sequence[State] = ()) -> tuple[JobId, ...]:
    """Return the live jobs that ``choice`` means, in order of id.

    A number means a job or all elements of an array; a range skips what is not live.
    Where a word means several, only those in a state that is ``fit`` are taken, if any is.

    Raises:
        NoSuchJob: a word means no live job.
        WrongUsage: a word makes no sense.
    """
    scheduler = broker.scheduler
    if choice.everything:
        found = {job.id for job in scheduler.live() if not fit or job.state in fit}
    else:
        found = set().union(*(_fitting(broker, _meant(broker, w), fit) for w in choice.words))
    if choice.states:
        found = {one for one in found if scheduler.job(one).state.value in choice.states}
    return tuple(sorted(found))


def chosen(ids: Sequence[JobId]) -> Chosen:
    """Return the reply that names these jobs."""
    return Chosen(ids=tuple(format_job_id(one) for one in ids))


def live_ones(broker: Broker, what: Meaning) -> set[JobId]:
    """Return the live jobs of this run that ``what`` means."""
    condition = f"run = ? AND state <> 'done' AND {what.condition}"
    found = broker.store.ids(condition, (broker.run.number, *what.values))
    return {one for one in found if broker.scheduler.find(one) is not None}


def of_id(broker: Broker, identity: JobId) -> set[JobId]:
    """Return the live jobs that an id means: itself, or the elements of its array."""
    if broker.scheduler.find(identity) is not None:
        return {identity}
    if array_index(identity) is None:
        return {job.id for job in broker.scheduler.members(identity)}
    return set()


def _meant(broker: Broker, word: str) -> set[JobId]:
    identity = id_of(word, broker.last_number)
    if identity is not None:
        found = of_id(broker, identity)
    else:
        found = live_ones(broker, meaning(word, broker.last_number))
    if not found:
        raise NoSuchJob(f"couldn't find job {word}")
    return found


def _fitting(broker: Broker, found: set[JobId], fit: Sequence[State]) -> set[JobId]:
    return {one for one in found if broker.scheduler.job(one).state in fit} or found
