"""Who is next in line, whichever holder ends first, and however."""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from hsched.core.effects import EndJob, StartJob
from hsched.core.events import CapacitySet, Ended, SlotsDrained, StartsStopped, Submitted
from hsched.core.job import Job
from hsched.core.model import JobId, NewJob, Request, job_id
from hsched.core.policy import Policy
from hsched.errors import HschedError, IllegalTransition, Refused
from tests.core.kit import FAILED, OK, Checked, after, ids, make, new, started
from tests.core.test_random import Anything

A, B, C, D = ids(1, 2, 3, 4)


def busy(*jobs: NewJob, spec: str = "2") -> Checked:
    """Return a scheduler whose slots are all held, with what else was submitted pending."""
    sched = make(spec)
    sched.run(*jobs)
    return sched


def test_the_jobs_behind_holders_of_the_same_request_are_in_line_in_their_order() -> None:
    sched = busy(new(1), new(2), new(3), new(4), new(5, priority=-1))
    assert sched.next_in_line(8) == [C, D]
    assert sched.next_in_line(1) == [C]


def test_a_successor_gets_the_very_slots_of_the_job_that_ended() -> None:
    sched = busy(new(1), new(2), new(3))
    held = sched.job(B).allocation
    assert held is not None
    effects = sched.handle(Ended(B, FAILED, successor=C))
    assert effects == [EndJob(B, FAILED, held, 1), StartJob(C, held, 1)]


def test_a_successor_gets_them_also_where_there_are_none_such_any_more() -> None:
    sched = busy(new(1), new(2), new(3))
    held = sched.job(B).allocation
    sched.handle(CapacitySet((1,)))
    sched.handle(Ended(B, OK, successor=C))
    assert sched.job(C).allocation == held
    assert sched.held == (2,)


@pytest.mark.parametrize(
    "sched",
    [
        pytest.param(busy(new(1), new(2)), id="nobody waits"),
        pytest.param(busy(new(1), new(2), new(3, held=True)), id="a held job"),
        pytest.param(busy(new(1), new(2), new(3, 3), spec="3"), id="the head needs more"),
        pytest.param(
            busy(new(1), new(2), new(3), new(4, dependencies=after(1))), id="a holder is waited for"
        ),
        pytest.param(
            busy(new(1), new(2), new(3), new(4, dependencies=after(3))), id="the head is waited for"
        ),
        pytest.param(
            busy(*(new(1, index=i, array_limit=1) for i in range(3)), spec="1"), id="a capped array"
        ),
    ],
)
def test_nobody_is_in_line(sched: Checked) -> None:
    assert sched.next_in_line(8) == []


def test_nobody_is_in_line_while_starts_are_stopped() -> None:
    sched = busy(new(1), new(2), new(3))
    sched.handle(StartsStopped())
    assert sched.next_in_line(8) == []


def test_nobody_is_in_line_for_a_slot_that_goes_out_of_use() -> None:
    sched = busy(new(1), new(2), new(3))
    sched.handle(SlotsDrained(0, (1,)))
    assert sched.next_in_line(8) == []
    sched.handle(SlotsDrained(0, (1,), back=True))
    assert sched.next_in_line(8) == [C]


@pytest.mark.parametrize("first", [new(1, retries=1), new(1, array_limit=1)])
def test_a_job_that_may_come_again_or_let_others_in_has_no_successor(first: NewJob) -> None:
    sched = busy(first, new(2), new(3))
    assert not sched.can_be_succeeded(A)
    assert sched.can_be_succeeded(B)
    with pytest.raises(IllegalTransition):
        sched.handle(Ended(A, OK, successor=C))


@pytest.mark.parametrize("successor", [A, B, job_id(4), job_id(9)], ids=str)
def test_who_does_not_wait_for_the_same_is_refused(successor: JobId) -> None:
    sched = busy(new(1), new(2), new(3), new(4, 2))
    with pytest.raises(HschedError):
        sched.handle(Ended(A, OK, successor=successor))


class Line(Anything):
    """Whoever is in line starts, whichever holder ends, and however."""

    @rule(count=st.integers(1, 6), cores=st.integers(1, 2), priority=st.sampled_from([0, 0, 1]))
    def crowd(self, count: int, cores: int, priority: int) -> None:
        """Submit several jobs of one kind."""
        first = 1 + max((job.id >> 21 for job in self.sched.live()), default=20)
        request = Request((cores, 0, 0))
        jobs = [NewJob(job_id(first + i), request, priority) for i in range(count)]
        with suppress(Refused):  # there may be no cores at all
            self.believe(self.sched.handle(Submitted(tuple(jobs)), self.now))

    @invariant()
    def who_is_in_line_starts(self) -> None:
        """A holder's end starts the first of the line, and leaves the rest of it in line."""
        line = self.sched.next_in_line(3)
        if line:
            request = self.sched.job(line[0]).request
            for job in list(self.sched.holders()):
                if job.request == request and self.sched.can_be_succeeded(job.id):
                    self._end(job, line)

    def _end(self, job: Job, line: list[JobId]) -> None:
        for outcome in (OK, FAILED):
            free, told = deepcopy(self.sched), deepcopy(self.sched)
            freely = free.handle(Ended(job.id, outcome), self.now)
            as_told = told.handle(Ended(job.id, outcome, successor=line[0]), self.now)
            assert started(freely) == started(as_told)
            assert started(as_told)[0] == line[0] >> 21
            assert free.free == told.free
            assert told.next_in_line(3)[: len(line) - 1] == line[1:]


TestLine = pytest.mark.slow(Line.TestCase)
TestLine.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)


def test_a_long_queue_of_many_kinds_has_its_head_in_line() -> None:
    """There are too many classes to be in order, so only the very first is known."""
    sched = make("64", Policy.FIFO)
    sched.run(new(1, 64), new(2, 64), new(3, 64), *(new(4 + i, 1 + i) for i in range(40)))
    assert sched.next_in_line(8) == [B]
