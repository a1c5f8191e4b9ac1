"""The index of ready jobs finds what a walk over all of them finds."""

from __future__ import annotations

from math import inf
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsched.core.arrays import Arrays
from hsched.core.classes import MANY, fits
from hsched.core.job import Job
from hsched.core.model import JobId, NewJob, Request, job_id
from hsched.core.queue import Queue

WIDTH = 3


class Walked:
    """A queue, and all its jobs beside it."""

    def __init__(self) -> None:
        self.jobs: dict[JobId, Job] = {}
        self.queue = Queue(self.jobs, Arrays())

    def add(self, number: int, amounts: tuple[int, ...], **fields: object) -> None:
        job = Job.of(NewJob(job_id(number), Request(amounts), **fields))  # type: ignore[arg-type]  # fields of NewJob
        self.jobs[job.id] = job
        self.queue.add(job)

    def remove(self, number: int) -> None:
        self.queue.remove(self.jobs[job_id(number)])
        del self.jobs[job_id(number)]

    def in_order(self) -> list[Job]:
        return sorted(self.jobs.values(), key=lambda job: (-job.priority, job.id))

    def first(self, *limits: tuple[float, ...]) -> Job | None:
        for job in self.in_order():
            if any(fits((*job.request.amounts, job.length_s), limit) for limit in limits):
                return job
        return None


_amounts = st.tuples(*[st.integers(0, 20)] * WIDTH)
_limits = st.lists(
    st.tuples(*[st.integers(-1, 21)] * WIDTH, st.sampled_from([-1.0, 5.0, 9.0, 100.0, inf])),
    min_size=1,
    max_size=2,
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_first_that_fits_is_found(data: st.DataObject) -> None:
    walked = Walked()
    steps = data.draw(st.integers(1, 4), "rounds")
    number = 0
    for _ in range(steps):
        for amounts in data.draw(st.lists(_amounts, max_size=3 * MANY), "new"):
            number += 1
            limit = data.draw(st.sampled_from([None, 0.0, 4.0, 60.0]))
            walked.add(number, amounts, time_limit_s=limit, priority=number % 3)
        for job in list(walked.jobs.values()):
            if data.draw(st.booleans()):
                walked.remove(job.id >> 21)
        walked.queue.check()
        for limits in data.draw(st.lists(_limits, max_size=5), "limits"):
            assert walked.queue.first(*limits) is walked.first(*limits)
            walked.queue.check()
        assert list(walked.queue.in_order()) == walked.in_order()


def test_many_classes_are_parted_and_all_found() -> None:
    walked = Walked()
    for number in range(1, 1001):
        walked.add(number, (number % 37, number % 11, number % 23))
    walked.queue.check()
    while (job := walked.queue.first((36, 10, 22, inf))) is not None:
        assert job is walked.first((36, 10, 22, inf))
        walked.remove(job.id >> 21)
    assert not walked.jobs


@pytest.mark.parametrize("seed", range(4))
def test_the_first_that_fits_is_found_among_very_many(seed: int) -> None:
    random, walked = Random(seed), Walked()
    largest = (64, 8, 1 << 20)
    for number in range(1, 800):
        amounts = tuple(random.randint(0, most) for most in largest)
        walked.add(number, amounts, priority=random.randint(0, 2))
    for _ in range(150):
        limit = (*(random.randint(0, most) // random.randint(1, 9) for most in largest), inf)
        job = walked.queue.first(limit)
        assert job is walked.first(limit)
        if job is not None:
            walked.remove(job.id >> 21)
    walked.queue.check()


def test_classes_that_differ_in_priority_alone_are_not_parted_for_ever() -> None:
    walked = Walked()
    for number in range(1, 3 * MANY):
        walked.add(number, (1, 0, 0), priority=number)
    walked.queue.check()
    job = walked.queue.first((1, 0, 0, inf))
    assert job is not None
    assert job.priority == 3 * MANY - 1


def test_a_job_leaves_from_the_middle_of_its_class_and_comes_back() -> None:
    walked = Walked()
    for number in range(1, 6):
        walked.add(number, (1, 0, 0))
    for _ in range(100):
        walked.remove(3)
        walked.add(3, (1, 0, 0))
    walked.queue.check()
    assert [job.id >> 21 for job in walked.queue.in_order()] == [1, 2, 3, 4, 5]
    (cls,) = walked.queue._classes.values()
    assert len(cls.ids) <= 20, "ids that left do not pile up"


def test_an_empty_queue_has_no_first() -> None:
    assert Queue({}, Arrays()).first((9, 9, inf)) is None
