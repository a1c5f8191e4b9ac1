"""The engine: schedules worked out by hand, and what is true of every schedule."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsched.core.model import Condition
from hsched.core.policy import Policy
from hsched.errors import Refused, WrongUsage
from hsched.simulate import Placement, TraceJob
from tests.simulate.kit import BACKFILL, FIFO, FIRST_FIT, job, place, starts
from tests.simulate.reference import easy

# Four processors.  B needs all of them, C is short and narrow, D long and narrow.
#
#      submit  run  processors
#   A     0     10      3
#   B     1     10      4
#   C     2      5      1
#   D     3     20      1
CLASSIC = [job(0, 10, 3), job(1, 10, 4), job(2, 5, 1), job(3, 20, 1)]


def test_fcfs_lets_nobody_past_the_head() -> None:
    # A 0-10.  B waits for all of A: 10-20.  C and D wait behind B: 20-25 and 20-40.
    assert starts(CLASSIC, "4", FIFO) == [0, 10, 20, 20]


def test_easy_lets_past_who_is_gone_by_the_reservation() -> None:
    # A 0-10, so B is promised 10.  C would be gone at 7: it starts at 2.  At 7 a processor
    # is free again, and D would hold it until 27, when B needs all four at 10: D waits.
    # B 10-20, then D 20-40.
    assert starts(CLASSIC, "4", BACKFILL) == [0, 10, 2, 20]


def test_first_fit_lets_past_whoever_fits() -> None:
    # A 0-10, C 2-7, D 7-27 on the processor of C; B has all four at last at 27.
    assert starts(CLASSIC, "4", FIRST_FIT) == [0, 27, 2, 7]


def test_easy_lets_past_who_takes_what_the_head_leaves_over() -> None:
    # Four processors.  A (2) 0-10; B needs 3 and is promised 10, and then leaves 1 over.
    # C (1) is long, and takes that one: 0-100.  D is like C, and nothing is left over: it
    # waits.  E (1) takes the fourth processor, for it is gone at 10.  At 10 only C is
    # there: B 10-20, and D when B has gone, 20-120.
    jobs = [job(0, 10, 2), job(0, 10, 3), job(0, 100, 1), job(0, 100, 1), job(0, 10, 1)]
    assert starts(jobs, "4", BACKFILL) == [0, 10, 0, 20, 0]


def test_a_job_that_ends_early_lets_the_head_start_early() -> None:
    # A (3 of 4) said 100 and runs 10; B (4) is promised 100.  C (1) says 50 and runs 20: it
    # starts at 2, and B has to wait for it, though A is gone at 10: B 22-32.
    jobs = [job(0, 10, 3, estimate_s=100), job(1, 10, 4), job(2, 20, 1, estimate_s=50)]
    assert starts(jobs, "4", BACKFILL) == [0, 22, 2]


@pytest.mark.parametrize(("overtake", "fourth"), [(0, 30), (10, 11)])
def test_a_job_that_overruns_its_estimate_runs_on(overtake: int, fourth: float) -> None:
    # A (3 of 4) said 10 and runs 20.  B (4) is promised 10.  C (1) is gone by then: 2-10.
    # At 10 A is late.  A second later nobody knows any more when it ends, and B can be
    # overtaken ``overtake`` times: D (1) starts at 11, or else waits until B, 20-30, is done.
    jobs = [job(0, 20, 3, estimate_s=10), job(1, 10, 4), job(2, 8, 1), job(3, 5, 1)]
    placements = place(jobs, "4", BACKFILL, overtake)
    assert [p.start_s for p in placements] == [0, 20, 2, fourth]
    assert placements[0].end_s == 20


def test_a_vector_is_given_whole_or_not_at_all() -> None:
    # Two cores, one GPU.  A holds the GPU for 10 s; B wants both cores and the GPU, and is
    # promised 10.  C wants one core for 10 s and is gone at 10; D wants it for 11 s.
    jobs = [job(0, 10, 0, 1), job(0, 10, 2, 1), job(0, 11, 1, 0), job(0, 10, 1, 0)]
    assert starts(jobs, "2,1", BACKFILL) == [0, 10, 20, 0]


@pytest.mark.parametrize("policy", list(Policy))
def test_jobs_that_end_at_one_moment_make_room_together(policy: Policy) -> None:
    # A and B (1 of 2 each) end at 10.  C needs both slots; D, behind it, must not slip into
    # the slot of A before that of B is counted.
    jobs = [job(0, 10, 1), job(0, 10, 1, estimate_s=99), job(1, 10, 2), job(1, 10, 1)]
    assert starts(jobs, "2", policy) == [0, 0, 10, 20]


@pytest.mark.parametrize("policy", list(Policy))
def test_a_job_that_takes_no_time_is_over_at_once(policy: Policy) -> None:
    assert starts([job(0, 0, 1), job(0, 0, 1), job(0, 5, 1)], "1", policy) == [0, 0, 0]


def test_slots_are_the_lowest_that_are_free() -> None:
    placements = place([job(0, 10, 2), job(0, 5, 1), job(5, 1, 2)], "4")
    assert [p.allocation.slots for p in placements] == [((0, 1),), ((2,),), ((2, 3),)]


def test_a_dependency_is_waited_for() -> None:
    def waits(submit_s: float, at: int, condition: Condition) -> TraceJob:
        return TraceJob("", submit_s, 1, 1, (1,), upstreams=((at, condition),))

    # The third waits for the second, which waits for the first: 0-10, 10-11, 11-12.  The
    # fourth waits for the start of the first only, the last for one that is long over.
    jobs = [
        job(0, 10, 1),
        waits(1, 0, Condition.AFTERANY),
        waits(1, 1, Condition.AFTERANY),
        waits(2, 0, Condition.AFTER),
        waits(50, 0, Condition.AFTERANY),
    ]
    assert starts(jobs, "4") == [0, 10, 11, 2, 50]


def test_priority_counts() -> None:
    urgent = TraceJob("", 1, 10, 10, (1,), priority=5)
    assert starts([job(0, 10, 1), job(1, 10, 1), urgent], "1") == [0, 20, 10]


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(Refused, match="needs 5 cores"):
        place([job(0, 1, 5)], "4")
    with pytest.raises(WrongUsage, match="overtaken -1 times"):
        place([job(0, 1, 1)], "4", overtake=-1)


SLOTS = 8
TIMES = st.integers(0, 30)


@st.composite
def traces(draw: st.DrawFn, overrun: bool = True) -> list[TraceJob]:
    """Traces for 8 processors, in which much happens at the same moment.

    Without ``overrun`` estimates hold, and each job takes some time.
    """
    jobs, now = [], 0
    for _ in range(draw(st.integers(1, 25))):
        run = draw(TIMES) if overrun else draw(st.integers(1, 30))
        estimate = draw(TIMES) if overrun else run + draw(st.sampled_from([0, 0, 3, 20]))
        jobs.append(job(now, run, draw(st.integers(1, SLOTS)), estimate_s=estimate))
        now += draw(st.sampled_from([0, 0, 1, 2, 10]))
    return jobs


@given(traces(), st.sampled_from(list(Policy)), st.integers(0, 3))
@settings(max_examples=150, deadline=None)
def test_every_schedule_is_possible(jobs: list[TraceJob], policy: Policy, overtake: int) -> None:
    placements = place(jobs, str(SLOTS), policy, overtake)
    assert [p.job for p in placements] == jobs
    for placement in placements:
        assert placement.start_s >= placement.job.submit_s
        assert placement.end_s == placement.start_s + placement.job.run_s
        assert len(set(placement.allocation.slots[0])) == placement.job.amounts[0]
    _assert_no_slot_is_shared(placements)


def _assert_no_slot_is_shared(placements: list[Placement]) -> None:
    busy_until = dict.fromkeys(range(SLOTS), 0.0)
    for placement in sorted(placements, key=lambda p: (p.start_s, p.end_s)):
        for slot in placement.allocation.slots[0]:
            assert busy_until[slot] <= placement.start_s
            busy_until[slot] = placement.end_s


@given(traces())
@settings(max_examples=100, deadline=None)
def test_fifo_starts_in_order(jobs: list[TraceJob]) -> None:
    begun = starts(jobs, str(SLOTS), FIFO)
    assert begun == sorted(begun)


@given(traces(overrun=False))
@settings(max_examples=150, deadline=None)
def test_backfill_is_easy_where_estimates_hold(jobs: list[TraceJob]) -> None:
    assert starts(jobs, str(SLOTS), BACKFILL) == easy(jobs, SLOTS)


@given(traces(overrun=False))
@settings(max_examples=100, deadline=None)
def test_backfill_does_not_delay_the_first_head(jobs: list[TraceJob]) -> None:
    # Until the first job that has to wait, both rules do the same.  Who is let past that one
    # is gone when it can start, so with exact estimates it starts as under FCFS.
    exact = [job(j.submit_s, j.run_s, *j.amounts) for j in jobs]
    strict, easily = starts(exact, str(SLOTS), FIFO), starts(exact, str(SLOTS), BACKFILL)
    waiting = (i for i, begun in enumerate(strict) if begun > exact[i].submit_s)
    head = next(waiting, len(exact) - 1)
    assert easily[: head + 1] == strict[: head + 1]
