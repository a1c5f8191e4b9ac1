"""The ready jobs in order, in classes.

Order: larger priority first, then job id.  Held jobs, those that wait for
others or for a moment, and arrays at their cap are not in here.

Jobs of equal needs and priority form a class, and only the first of a class can
be next, so a search looks at classes and never at the jobs behind their first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush, merge

from hsched.core.arrays import Arrays
from hsched.core.classes import Needs, Node, Place
from hsched.core.job import Job, JobClass
from hsched.core.model import JobId

_Key = tuple[tuple[float, ...], int, tuple[int, int] | None]


class Queue:
    """The ready jobs; ``Job.queued`` says whether one is in here, and in which class."""

    def __init__(
        self, jobs: Mapping[JobId, Job], arrays: Arrays, has_devices: bool = False
    ) -> None:
        """``has_devices`` says that needs have a place for shares of devices."""
        self._has_devices = has_devices
        #: How many jobs in here ask for shares of devices.
        self.sharing = 0
        self._jobs = jobs
        self._arrays = arrays
        self._classes: dict[_Key, JobClass] = {}
        self._capped: dict[int, list[JobClass]] = {}
        self._tree = Node(0)

    def add(self, job: Job) -> None:
        """Let a ready job wait for its turn."""
        cls = self._class_of(job)
        heappush(cls.ids, job.id)
        cls.size += 1
        self.sharing += job.request.devices > 0
        job.queued = cls
        if len(cls.ids) > 2 * cls.size + 8:
            cls.ids = list({i for i in cls.ids if self._is_in(cls, i)})
            heapify(cls.ids)
        self._settle(cls)

    def remove(self, job: Job) -> None:
        """Take out a job, from wherever in its class it stands."""
        cls = job.queued
        assert cls is not None, f"job {job.id} is not in the queue"
        job.queued = None
        cls.size -= 1
        self.sharing -= job.request.devices > 0
        self._settle(cls)
        if not cls.size:
            del self._classes[cls.needs, cls.priority, cls.array]
            if cls.array is not None:
                self._capped[cls.array[0]].remove(cls)
                if not self._capped[cls.array[0]]:
                    del self._capped[cls.array[0]]

    def first(self, *limits: Needs) -> Job | None:
        """Return the first job in order whose needs fit one of ``limits``."""
        best: Place | None = None
        for limit in limits:
            best = self._tree.search(limit, best) or best
        return None if best is None else self._jobs[best[1]]

    @property
    def is_capped(self) -> bool:
        """Whether some array in here has a limit on how many of its elements run."""
        return bool(self._capped)

    def leading(self, head: Job, most: int) -> list[Job]:
        """Return ``head`` and those behind it of its class, up to the first of another class.

        Where there are too many classes to know that one at once, ``head`` alone.
        """
        cls, ids = head.queued, list[JobId]()
        assert cls is not None, f"job {head.id} is not in the queue"
        after = self._tree.after(cls) if most > 1 else None
        while after is not None and cls.ids and len(ids) < most:
            first = heappop(cls.ids)
            if (-cls.priority, first) > after:
                heappush(cls.ids, first)
                break
            if self._is_in(cls, first) and first not in ids[-1:]:
                ids.append(first)
        for job_id in ids:
            heappush(cls.ids, job_id)
        return [self._jobs[job_id] for job_id in ids] or [head]

    def has_between(self, low: Sequence[Needs], high: Sequence[Needs]) -> bool:
        """Whether the needs of some job fit one of ``high`` and none of ``low``."""
        return any(self._tree.has_between(low, limit) for limit in high)

    def recap(self, number: int) -> None:
        """Let array ``number`` in or out, after the count of its slot holders changed."""
        for cls in self._capped.get(number, ()):
            self._settle(cls)

    def in_order(self) -> Iterator[Job]:
        """Yield all jobs that only slots keep from starting, in order."""
        for _, job_id in merge(*map(self._members, self._tree.classes())):
            yield self._jobs[job_id]

    def check(self) -> None:
        """Assert that the index says of each job and class what is the case."""
        queued = [job for job in self._jobs.values() if job.queued is not None]
        assert len(queued) == sum(cls.size for cls in self._classes.values())
        assert self.sharing == sum(job.request.devices > 0 for job in queued), "miscounted sharing"
        for job in queued:
            assert job.queued is self._class_of(job), f"job {job.id} is in another class"
            assert job.id in job.queued.ids, f"job {job.id} is lost from its class"
        for cls in self._classes.values():
            assert cls.size > 0, "an empty class is left"
            assert cls.place == self._wanted(cls), "a class stands in a wrong place"
        there = {id(cls) for cls in self._classes.values() if cls.place is not None}
        assert {id(cls) for cls in self._tree.classes()} == there, "a class is lost, or too many"
        self._tree.check()

    def _class_of(self, job: Job) -> JobClass:
        request = job.request
        share = (request.devices, request.memory) if self._has_devices else ()
        needs = (*request.amounts, *share, job.length_s)
        number, most = job.array, job.array_limit
        array = (number, most) if number is not None and most is not None else None
        key = (needs, job.priority, array)
        cls = self._classes.get(key)
        if cls is None:
            cls = self._classes[key] = JobClass(job.priority, needs, array)
            if array is not None:
                self._capped.setdefault(array[0], []).append(cls)
        return cls

    def _is_in(self, cls: JobClass, job_id: JobId) -> bool:
        job = self._jobs.get(job_id)
        return job is not None and job.queued is cls

    def _members(self, cls: JobClass) -> Iterator[tuple[int, JobId]]:
        for job_id in sorted({i for i in cls.ids if self._is_in(cls, i)}):
            yield (-cls.priority, job_id)

    def _wanted(self, cls: JobClass) -> Place | None:
        while cls.ids and not self._is_in(cls, cls.ids[0]):
            heappop(cls.ids)
        if not cls.ids:
            return None
        if cls.array is not None:
            array = self._arrays.get(cls.array[0])
            if array is not None and array.holding >= cls.array[1]:
                return None
        return (-cls.priority, cls.ids[0])

    def _settle(self, cls: JobClass) -> None:
        # Moves the class to where its first job says.
        wanted = self._wanted(cls)
        if wanted != cls.place:
            self._tree.move(cls, wanted)
            cls.place = wanted
