"""Who may start before whom.  Small cases, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from hsched.core.deadlines import SLACK_S
from hsched.core.effects import ChangeJob, StartJob
from hsched.core.events import CancelAsked, CapacitySet, Ended, Submitted, TimePassed
from hsched.core.model import NewJob
from hsched.core.policy import Policy
from tests.core.kit import OK, ids, make, new, started

A, B, C, D = ids(1, 2, 3, 4)


def limited(number: int, *amounts: int, limit: float, **fields: Any) -> NewJob:
    """Return a job that is gone ``limit`` seconds after its start."""
    return new(number, *amounts, time_limit_s=limit, grace_s=0.0, **fields)


def test_larger_priority_first_and_then_job_id() -> None:
    sched = make("2")
    batch = (new(1), new(3, priority=1), new(2, priority=1), new(4, priority=-1))
    assert sched.submit(*batch) == [2, 3]
    assert sched.end(2) == [1]
    assert sched.end(3) == [4]


@pytest.mark.parametrize(
    ("policy", "starts"),
    [(Policy.FIFO, []), (Policy.FIRST_FIT, [3, 4, 5]), (Policy.BACKFILL, [3, 4])],
)
def test_what_is_behind_a_job_that_does_not_fit(policy: Policy, starts: list[int]) -> None:
    sched = make("4", policy, overtake=2)
    sched.submit(new(1))
    assert sched.submit(new(2, 4), new(3), new(4), new(5)) == starts


@pytest.mark.parametrize("policy", Policy)
def test_a_job_that_asks_for_nothing_starts_at_once_and_overtakes_nobody(policy: Policy) -> None:
    sched = make("1,1", policy, overtake=0)
    sched.submit(new(1, 1, 0))
    assert sched.submit(new(2, 1, 0), new(3, 0, 0)) == [3]
    assert sched.job(B).passed == 0


def test_a_job_is_overtaken_so_often_and_then_slots_are_collected_for_it() -> None:
    sched = make("2", overtake=2)
    sched.submit(new(1), new(2, 2))
    assert sched.submit(new(3)) == [3]
    assert sched.end(3) == []
    assert sched.submit(new(4), new(5)) == [4]
    assert sched.job(B).passed == 2
    assert sched.end(4) == [], "slot 1 is kept for job 2"
    assert sched.end(1) == [2]
    assert sched.end(2) == [5]


def test_each_overtaking_is_a_change_of_the_head_told_once_a_turn() -> None:
    sched = make("3")
    sched.submit(new(1), new(2, 3))
    effects = sched.handle(Submitted((new(3), new(4))))
    assert [type(effect) for effect in effects] == [StartJob, StartJob, ChangeJob]
    assert effects[-1] == ChangeJob(B)
    assert sched.job(B).passed == 2


def test_nobody_overtakes_where_the_number_is_0() -> None:
    sched = make("2", overtake=0)
    sched.submit(new(1), new(2, 2))
    assert sched.submit(new(3)) == []


def test_what_the_head_does_not_need_is_for_all_and_counts_for_nothing() -> None:
    sched = make("2,4", overtake=0)
    sched.submit(new(1, 1, 0), new(2, 2, 2))
    assert sched.submit(new(3, 0, 1), new(4, 0, 1), new(5, 0, 1)) == [3, 4], "two stay for job 2"
    assert sched.job(B).passed == 0


def test_the_count_ends_only_with_the_start() -> None:
    sched = make("2", overtake=1)
    sched.submit(new(1), new(2, 2), new(3))
    assert sched.job(B).passed == 1
    sched.submit(new(4, 2, priority=1))
    assert sched.end(1) == []
    assert sched.end(3) == [4], "job 4 is the head, by its priority"
    sched.submit(new(5))
    assert sched.end(4) == [2]


def test_a_reservation_lets_by_what_ends_in_time() -> None:
    sched = make("4", overtake=0)
    sched.submit(limited(1, 3, limit=10.0), new(2, 4))
    assert sched.submit(limited(3, limit=11.0), new(4), limited(5, limit=10.0)) == [5]
    assert sched.job(B).passed == 0, "it was delayed by nobody"
    assert sched.end(5, now=4.0) == []
    assert sched.submit(limited(6, limit=6.0), now=4.0) == [6]
    sched.end(6, now=9.0)
    assert sched.end(1, now=10.0) == [2]


def test_a_reservation_lets_by_what_it_leaves_over() -> None:
    sched = make("4", overtake=0)
    sched.submit(limited(1, 3, limit=10.0), new(2, 3))
    assert sched.submit(new(3), new(4)) == [3], "one slot is left over, once"
    assert sched.end(1, now=10.0) == [2]


def test_the_grace_belongs_to_the_bound() -> None:
    sched = make("2", overtake=0)
    sched.submit(new(1, time_limit_s=10.0, grace_s=5.0), new(2, 2))
    assert sched.submit(limited(3, limit=15.0)) == [3]


def test_a_reservation_looks_at_the_whole_vector() -> None:
    sched = make("2,2", overtake=0)
    sched.submit(limited(1, 1, 0, limit=10.0), limited(2, 0, 1, limit=20.0), new(3, 2, 2))
    assert sched.submit(limited(4, 1, 0, limit=20.0), limited(5, 0, 1, limit=21.0)) == [4]


def test_holders_that_end_together_leave_over_together() -> None:
    sched = make("4", overtake=0)
    sched.submit(limited(1, 2, limit=10.0), limited(2, 1, limit=10.0), new(3, 3))
    assert sched.submit(new(4)) == [4]


def test_one_holder_without_a_bound_does_not_matter_if_others_suffice() -> None:
    sched = make("3", overtake=0)
    sched.submit(new(1), limited(2, limit=10.0), new(3, 2))
    assert sched.submit(limited(4, limit=10.0)) == [4]


def test_a_head_that_waits_for_an_unknown_end_is_overtaken_by_count() -> None:
    sched = make("3", overtake=1)
    sched.submit(new(1), limited(2, limit=10.0), new(3, 3))
    assert sched.submit(limited(4, limit=1.0), limited(5, limit=1.0)) == [4]
    assert sched.job(C).passed == 1


def test_a_cancelled_holder_has_a_bound() -> None:
    sched = make("2", overtake=0)
    sched.run(new(1, grace_s=5.0))
    sched.submit(new(2, 2), limited(3, limit=5.0))
    assert started(sched.handle(CancelAsked((A,)))) == [3]


def test_a_holder_that_overruns_makes_the_rule_one_of_counting() -> None:
    sched = make("3", overtake=1)
    sched.run(limited(1, limit=10.0))
    sched.submit(new(2, 3), now=0.0)
    assert sched.submit(limited(3, limit=10.0), limited(4, limit=11.0), limited(5, limit=99.0)) == [
        3
    ]
    assert sched.end(3, now=10.0) == []
    assert started(sched.handle(TimePassed(), 10.0)) == [], "it was just killed"
    assert sched.next_deadline() == 10.0 + SLACK_S
    assert started(sched.handle(TimePassed(), 10.0 + SLACK_S)) == [4]
    assert sched.job(B).passed == 1


def test_a_promise_that_was_broken_is_not_made_again() -> None:
    sched = make("3", overtake=1)
    sched.run(limited(1, limit=10.0), limited(2, limit=10.0))
    sched.submit(new(3, 2), limited(4, limit=50.0), now=1.0)
    sched.handle(TimePassed(), 10.0)
    sched.end(2, now=10.0)
    assert sched.job(C).passed == 0
    late = 10.0 + SLACK_S + 1
    # Job 1 overran: job 3 waits for job 4, to 51 s, and each job on the way counts.
    assert sched.submit(limited(5, limit=10.0), limited(6, limit=1.0), now=late) == [5]
    assert sched.job(C).passed == 1


def test_a_head_is_not_the_job_that_cannot_start_at_all() -> None:
    sched = make("4", overtake=0)
    sched.submit(new(1, 1), new(2, 4))
    sched.handle(CapacitySet((3,)))
    assert sched.submit(new(3, 2)) == [3], "job 2 is held"


def test_a_needless_resource_that_is_overdrawn_keeps_nobody() -> None:
    sched = make("cores=2,m=8K", overtake=0)
    sched.submit(limited(1, 1, 8 << 10, limit=10.0), new(2, 2, 0))
    sched.handle(CapacitySet((2, 1 << 10)))
    assert sched.submit(limited(3, 1, 0, limit=10.0)) == [3]


def test_starts_come_in_order() -> None:
    sched = make("3")
    sched.submit(new(9, 3))
    sched.submit(*(new(n) for n in (4, 2, 3, 1)))
    assert sched.end(9) == [1, 2, 3]


def test_one_end_can_start_many() -> None:
    sched = make("3")
    sched.submit(new(1, 3), new(2), new(3), new(4))
    assert started(sched.handle(Ended(A, OK))) == [2, 3, 4]
