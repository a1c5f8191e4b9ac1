"""Which jobs the words of a command mean: ids, ranges and names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hsched.core.model import JobId, array_index, job_id, job_number, parse_job_id
from hsched.errors import NoSuchJob, WrongUsage

if TYPE_CHECKING:
    from hsched.broker.broker import Broker

_RANGE = re.compile(r"(\d{1,12})-(\d{1,12})")
_ID = re.compile(r"\d+(\.\d+)?")


def choose(
    broker: Broker, words: Sequence[str] | None, states: Sequence[str] = ()
) -> tuple[JobId, ...]:
    """Return the live jobs that ``words`` mean, in order of id; None means all of them.

    A number means a job or all elements of an array; a range skips what is not live.

    Raises:
        NoSuchJob: a word means no live job.
    """
    scheduler = broker.scheduler
    if words is None:
        found = {job.id for job in scheduler.live()}
    else:
        found = set().union(*(_meant(broker, word) for word in words))
    if states:
        found = {one for one in found if scheduler.job(one).state.value in states}
    return tuple(sorted(found))


def _meant(broker: Broker, word: str) -> set[JobId]:
    if _ID.fullmatch(word):
        found = of_id(broker, parse_job_id(word))
    elif span := _RANGE.fullmatch(word):
        found = _between(broker, int(span[1]), int(span[2]))
    else:
        found = _named(broker, word)
    if not found:
        raise NoSuchJob(f"couldn't find job {word}")
    return found


def of_id(broker: Broker, identity: JobId) -> set[JobId]:
    """Return the live jobs that an id means: itself, or the elements of its array."""
    if broker.scheduler.find(identity) is not None:
        return {identity}
    if array_index(identity) is None:
        return {job.id for job in broker.scheduler.members(identity)}
    return set()


def _between(broker: Broker, first: int, last: int) -> set[JobId]:
    if first > last:
        raise WrongUsage(f"range {first}-{last} is empty")
    return {job.id for job in broker.scheduler.live() if first <= job_number(job.id) <= last}


def _named(broker: Broker, name: str) -> set[JobId]:
    condition = "run = ? AND name = ? AND state <> 'done'"
    return set(broker.store.ids(condition, (broker.run.number, name)))


def known(broker: Broker, identity: JobId) -> bool:
    """Return whether this run ever gave out ``identity``, as a job or a whole array."""
    if of_id(broker, identity) or broker.store.job(broker.run.number, identity) is not None:
        return True
    number = job_number(identity)
    whole = array_index(identity) is None
    span = (broker.run.number, job_id(number), job_id(number + 1))
    condition = "run = ? AND id > ? AND id < ?"
    return whole and bool(broker.store.select_jobs(condition, span, "LIMIT 1"))
