"""Arrays with live elements, and the counters that spare others to look at each element."""

from __future__ import annotations

from dataclasses import dataclass, field

from hsched.core.job import Job
from hsched.core.model import JobId


@dataclass(slots=True)
class Array:
    """An array of which some elements are live; its header id names no job."""

    members: set[JobId] = field(default_factory=set)
    #: Live elements of which no attempt has run.
    unstarted: int = 0
    #: Elements that hold slots.
    holding: int = 0
    #: The first element that is known not to have succeeded, in a clause; or empty.
    failure: str = ""


class Arrays:
    """The arrays by number; an array whose last element ends is forgotten."""

    def __init__(self) -> None:
        self._arrays: dict[int, Array] = {}

    def get(self, number: int | None) -> Array | None:
        """Return array ``number`` if it has live elements."""
        return None if number is None else self._arrays.get(number)

    def add(self, job: Job) -> None:
        """Count in a new job, if it is an element."""
        if (number := job.array) is not None:
            array = self._arrays.setdefault(number, Array())
            array.members.add(job.id)
            array.unstarted += not job.has_started
            array.holding += job.is_holding

    def remove(self, job: Job) -> Array | None:
        """Count out a job that ends; return its array, which may have no members left."""
        array = self.get(job.array)
        if array is not None and job.array is not None:
            array.members.discard(job.id)
            array.unstarted -= not job.has_started
            if not array.members:
                del self._arrays[job.array]
        return array

    def check(self, jobs: dict[JobId, Job]) -> None:
        """Assert that the counters agree with ``jobs``, which are all live ones."""
        anew = Arrays()
        for job in jobs.values():
            anew.add(job)
        assert anew._arrays.keys() == self._arrays.keys()
        for number, array in self._arrays.items():
            expected = anew._arrays[number]
            expected.failure = array.failure
            assert expected == array, f"array {number} is miscounted"
