"""The broker came back: every job stands where it stood."""

from __future__ import annotations

import pytest

from hsched.core.effects import EndJob, SignalJob, StartJob
from hsched.core.events import CapacitySet, Ended, Restored, RestoredJob, Started, TimePassed
from hsched.core.model import (
    Allocation,
    LimitWarning,
    NewJob,
    Outcome,
    OutcomeKind,
    State,
    job_id,
)
from hsched.errors import IllegalTransition, NotEnoughSlots, Refused
from tests.core.kit import CANCELLED, FAILED, OK, after, ids, make, new, started

A, B, C = ids(1, 2, 3)


def holding(
    job: NewJob, *slots: int, state: State = State.RUNNING, **fields: object
) -> RestoredJob:
    """Return a job that held these slots of the only resource."""
    return RestoredJob(job, state, Allocation((slots,), (len(slots),)), **fields)  # type: ignore[arg-type]  # fields of RestoredJob


def test_a_holder_gets_exactly_its_slots_again() -> None:
    sched = make("3")
    sched.handle(Restored((holding(new(1), 1),)))
    assert (sched.held, sched.job(A).state) == ((1,), State.RUNNING)
    assert sched.submit(new(2), new(3)) == [2, 3]
    assert sched.job(C).allocation == Allocation(((2,),), (1,))


def test_a_holder_of_slots_that_are_gone_keeps_them_to_its_end() -> None:
    sched = make("1")
    sched.handle(Restored((holding(new(1, 3), 4, 5, 6),)))
    assert (sched.held, sched.free) == ((3,), (1,))
    sched.end(1)
    assert (sched.held, sched.free) == ((0,), (1,))


def test_pending_jobs_start_in_order_and_keep_their_attempt() -> None:
    sched = make()
    effects = sched.handle(Restored((RestoredJob(new(1), attempt=2), RestoredJob(new(2)))))
    assert effects == [StartJob(A, Allocation(((0,),), (1,)), 2)]


def test_a_pending_job_larger_than_the_capacity_is_no_error() -> None:
    sched = make()
    assert sched.handle(Restored((RestoredJob(new(1, 2)),))) == []
    assert sched.reason(A, 0.0) == "unavailable: needs 2 cores, there are now 1"


def test_a_held_job_says_again_that_it_does_not_fit() -> None:
    sched = make()
    sched.handle(Restored((RestoredJob(new(1, 2, held=True)), RestoredJob(new(2, held=True)))))
    assert sched.job(A).hold_reason == "needs 2 cores, there are now 1"
    assert sched.job(B).hold_reason == ""


def test_a_time_limit_goes_on_where_it_was() -> None:
    sched = make()
    job = new(1, time_limit_s=60.0, warning=LimitWarning(10, 20.0))
    sched.handle(Restored((holding(job, 0, ran_s=30.0),)), 1000.0)
    assert sched.next_deadline() == 1010.0
    assert sched.handle(TimePassed(), 1010.0) == [SignalJob(A, 10)]
    assert sched.next_deadline() == 1030.0


def test_a_limit_that_passed_meanwhile_is_due_at_once() -> None:
    sched = make()
    job = new(1, time_limit_s=60.0, warning=LimitWarning(10, 20.0))
    sched.handle(Restored((holding(job, 0, ran_s=90.0),)), 1000.0)
    assert sched.next_deadline() is not None
    sched.handle(TimePassed(), 1000.0)
    assert sched.job(A).state is State.STOPPING


def test_a_stopping_job_is_told_so_again_and_keeps_its_verdict() -> None:
    sched = make()
    old = holding(new(1, grace_s=5.0), 0, state=State.STOPPING, verdict=CANCELLED, suspended=True)
    assert sched.handle(Restored((old,)), 10.0) == [SignalJob(A, 15), SignalJob(A, 18)]
    assert sched.next_deadline() == 15.0
    (end,) = sched.handle(Ended(A, OK), 11.0)
    assert isinstance(end, EndJob)
    assert end.outcome == Outcome(OutcomeKind.CANCELLED, exit_status=0)


def test_a_starting_job_can_start_or_end() -> None:
    sched = make("2")
    jobs = (holding(new(1), 0, state=State.STARTING), holding(new(2), 1, state=State.STARTING))
    assert sched.handle(Restored(jobs)) == []
    sched.handle(Started(A))
    sched.handle(Ended(B, Outcome(OutcomeKind.LOST)))
    assert sched.running_count == 1


def test_a_pending_job_waits_on_and_one_that_runs_has_waited_enough() -> None:
    sched = make("2")
    waiting = RestoredJob(new(2, dependencies=after(1, 8)))
    runs = holding(new(1, dependencies=after(7)), 0)
    sched.handle(Restored((runs, waiting), {job_id(8): OK}))
    assert sched.job(B).dependencies == after(1)
    assert sched.end(1) == [2]


def test_an_upstream_that_failed_meanwhile_ends_its_dependants() -> None:
    sched = make("2")
    jobs = (RestoredJob(new(2, dependencies=after(1))),)
    (end,) = sched.handle(Restored(jobs, {A: FAILED}))
    assert isinstance(end, EndJob)
    assert end.outcome.kind is OutcomeKind.DEPENDENCY_FAILED


def test_an_array_that_was_cut_in_two_is_one() -> None:
    sched = make("4")
    jobs = (
        holding(new(1, index=1, array_limit=1), 0),
        RestoredJob(new(1, index=2, array_limit=1)),
        RestoredJob(new(2, dependencies=after(1, condition="afternotok"))),
    )
    assert sched.handle(Restored(jobs, {job_id(1, 0): FAILED})) == []
    assert started(sched.handle(Ended(job_id(1, 1), OK))) == [1]
    assert started(sched.handle(Ended(job_id(1, 2), OK))) == [2]


def test_a_suspended_job_is_still_suspended() -> None:
    sched = make()
    sched.handle(Restored((holding(new(1), 0, suspended=True),)))
    assert sched.job(A).suspended


@pytest.mark.parametrize(
    "old",
    [
        RestoredJob(new(1), State.DONE),
        RestoredJob(new(1), State.RUNNING),
        holding(new(1), 0, state=State.PENDING),
        RestoredJob(new(1, 1, 1)),
    ],
)
def test_a_state_that_cannot_be_is_a_bug(old: RestoredJob) -> None:
    with pytest.raises(IllegalTransition, match="job 1"):
        make("2").handle(Restored((RestoredJob(new(2)), old)))


def test_two_jobs_on_one_slot_are_a_bug() -> None:
    with pytest.raises(NotEnoughSlots):
        make("2").handle(Restored((holding(new(1), 0), holding(new(2), 0))))


def test_an_upstream_that_nobody_knows_is_refused() -> None:
    with pytest.raises(Refused, match="nothing is known"):
        make().handle(Restored((RestoredJob(new(1, dependencies=after(9))),)))


def test_how_often_a_job_was_overtaken_is_not_forgotten() -> None:
    sched = make("2", overtake=3)
    jobs = (holding(new(1), 0), RestoredJob(new(2, 2), passed=3), RestoredJob(new(3)))
    assert sched.handle(Restored(jobs)) == []
    assert sched.job(B).passed == 3


def test_a_capacity_that_shrinks_below_a_measured_holder_overdraws_it() -> None:
    sched = make("m=8K")
    sched.run(new(1, 8 << 10))
    sched.handle(CapacitySet((1 << 10,)))
    assert sched.submit(new(2, 0)) == [2]
    assert sched.free == (0,)
