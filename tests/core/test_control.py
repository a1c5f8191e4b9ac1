"""What people may ask for, of which jobs; and that all of it is done, or nothing."""

from __future__ import annotations

import pytest

from hsched.core.effects import ChangeJob, EndJob, SignalJob
from hsched.core.events import (
    CapacitySet,
    Ended,
    Event,
    HoldAsked,
    ReleaseAsked,
    ResumeAsked,
    SignalAsked,
    SlotsDrained,
    StartsStopped,
    SuspendAsked,
    UpdateAsked,
)
from hsched.core.model import (
    Allocation,
    Condition,
    Dependency,
    Outcome,
    OutcomeKind,
    Request,
    job_id,
)
from hsched.errors import NoSuchJob, Refused, WrongUsage
from tests.core.kit import FAILED, OK, Checked, after, ids, make, new, started

A, B, C = ids(1, 2, 3)
STOP, CONT = 19, 18


@pytest.fixture
def sched() -> Checked:
    """One slot; job 1 runs, job 2 is pending."""
    one = make()
    one.run(new(1), new(2))
    return one


def test_a_held_job_does_not_start_until_it_is_released(sched: Checked) -> None:
    assert sched.handle(HoldAsked((B,))) == [ChangeJob(B)]
    assert sched.end(1) == []
    effects = sched.handle(ReleaseAsked((B,)))
    assert effects[0] == ChangeJob(B)
    assert started(effects) == [2]


def test_holding_a_held_job_or_releasing_another_changes_nothing(sched: Checked) -> None:
    assert sched.handle(ReleaseAsked((B,))) == []
    sched.handle(HoldAsked((B,)))
    assert sched.handle(HoldAsked((B,))) == []


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (HoldAsked((B, A)), "job 1 is running: hold is for pending jobs"),
        (ReleaseAsked((B, A)), "job 1 is running: release is for pending jobs"),
        (UpdateAsked((B, A), priority=1), "job 1 is running: update is for pending jobs"),
        (SuspendAsked((A, B)), "job 2 is pending: suspend is for running jobs"),
        (ResumeAsked((A, B)), "job 2 is pending: resume is for running jobs"),
        (SignalAsked((A, B), 10), "job 2 is pending: signal is for running or stopping jobs"),
    ],
)
def test_what_the_state_of_one_forbids_is_refused_for_all(
    sched: Checked, event: Event, message: str
) -> None:
    with pytest.raises(Refused, match=message):
        sched.handle(event)


@pytest.mark.parametrize("kind", [HoldAsked, ReleaseAsked, UpdateAsked, SuspendAsked, ResumeAsked])
def test_what_is_asked_of_a_job_that_is_not_live_is_refused_for_all(
    sched: Checked, kind: type[HoldAsked]
) -> None:
    with pytest.raises(NoSuchJob, match="job 3 is not live"):
        sched.handle(kind((A, B, C)))


def test_a_signal_is_passed_on_and_changes_nothing_else(sched: Checked) -> None:
    assert sched.handle(SignalAsked((A, A), 10)) == [SignalJob(A, 10)]


def test_a_suspended_job_keeps_its_slots(sched: Checked) -> None:
    assert sched.handle(SuspendAsked((A,))) == [ChangeJob(A), SignalJob(A, STOP)]
    assert (sched.job(A).suspended, sched.free) == (True, (0,))
    assert sched.handle(SuspendAsked((A,))) == []
    assert sched.handle(ResumeAsked((A,))) == [ChangeJob(A), SignalJob(A, CONT)]
    assert sched.handle(ResumeAsked((A,))) == []


def test_a_larger_priority_moves_a_job_forward(sched: Checked) -> None:
    sched.submit(new(3))
    assert sched.handle(UpdateAsked((C,), priority=1)) == [ChangeJob(C)]
    assert sched.end(1) == [3]


def test_an_update_changes_what_it_names_and_nothing_else() -> None:
    sched = make("4")
    sched.submit(new(2, 4, held=True, priority=7, time_limit_s=60.0))
    sched.handle(UpdateAsked((B,), requests={B: Request((2,))}))
    sched.handle(UpdateAsked((B,), time_limit_s=30.0))
    job = sched.job(B)
    assert (job.request, job.priority, job.time_limit_s) == (Request((2,)), 7, 30.0)
    sched.handle(UpdateAsked((B,), no_time_limit=True))
    assert sched.job(B).time_limit_s is None


def test_a_smaller_request_can_start_a_job() -> None:
    sched = make("4")
    sched.submit(new(1, 3), new(2, 2))
    assert started(sched.handle(UpdateAsked((B,), requests={B: Request((1,))}))) == [2]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"requests": {B: Request((2,))}}, "job 2 needs 2 cores, there are now 1"),
        ({"requests": {B: Request((1, 1))}}, "not one amount for each resource"),
        ({"time_limit_s": -1.0}, "limit and grace"),
        ({"dependencies": after(9)}, "job 2 cannot wait for job 9: nothing is known of it"),
    ],
)
def test_an_update_that_cannot_be_is_refused(
    sched: Checked, fields: dict[str, Request], message: str
) -> None:
    with pytest.raises(Refused, match=message):
        sched.handle(UpdateAsked((B,), **fields))  # type: ignore[arg-type]  # one of several


def test_new_dependencies_replace_the_old_ones(sched: Checked) -> None:
    sched.submit(new(3, dependencies=after(2)))
    sched.handle(UpdateAsked((C,), dependencies=after(1)))
    assert sched.job(C).dependencies == after(1)
    sched.handle(UpdateAsked((C,), dependencies=()))
    assert sched.job(C).dependencies == ()
    assert sched.end(1) == [2]


def test_a_new_dependency_on_a_done_job_is_settled_at_once(sched: Checked) -> None:
    event = UpdateAsked((B,), dependencies=after(9), finished={job_id(9): FAILED})
    reason = "afterok: job 9 failed (exit status 1)"
    lost = Outcome(OutcomeKind.DEPENDENCY_FAILED, reason=reason)
    assert sched.handle(event) == [EndJob(B, lost, None, 1)]


def test_an_update_makes_no_circle(sched: Checked) -> None:
    sched.submit(
        new(3, index=0, dependencies=after(2)),
        new(4, dependencies=after(3)),
        new(5, dependencies=after(4, 2)),
    )
    for upstream in (2, 3, 4, 5):
        with pytest.raises(WrongUsage, match="would wait for itself"):
            sched.handle(UpdateAsked((B,), dependencies=after(upstream)))
    edge = (Dependency(A, Condition.AFTERANY),)
    assert sched.handle(UpdateAsked((B,), dependencies=edge)) == [ChangeJob(B)]


def test_a_job_keeps_its_slots_when_the_capacity_goes_to_nothing() -> None:
    sched = make("2,1")
    sched.run(new(1, 2, 1))
    assert sched.handle(CapacitySet((0, 0))) == []
    assert (sched.capacity, sched.held, sched.free) == ((0, 0), (2, 1), (0, 0))
    sched.end(1)
    assert (sched.held, sched.free) == ((0, 0), (0, 0))


def test_a_job_that_no_longer_fits_the_totals_is_held_and_says_why() -> None:
    sched = make("8")
    sched.run(new(1, 8), new(2, 8), new(3, 2))
    assert sched.handle(CapacitySet((4,))) == [ChangeJob(B)]
    job = sched.job(B)
    assert (job.held, job.hold_reason) == (True, "needs 8 cores, there are now 4")
    assert sched.end(1) == [3]


def test_a_job_that_does_not_fit_cannot_be_released() -> None:
    sched = make("8")
    sched.run(new(1, 8), new(2, 8))
    sched.handle(CapacitySet((4,)))
    with pytest.raises(Refused, match="job 2 needs 8 cores, there are now 4"):
        sched.handle(ReleaseAsked((B,)))


def test_a_job_that_fits_again_stays_held_and_says_what_to_do() -> None:
    sched = make("8")
    sched.run(new(1, 8), new(2, 8))
    sched.handle(CapacitySet((4,)))
    assert sched.handle(CapacitySet((8,))) == [ChangeJob(B)]
    assert sched.reason(B, 0.0) == "held: fits again: release it"
    assert sched.handle(CapacitySet((9,))) == []
    sched.handle(ReleaseAsked((B,)))
    assert (sched.job(B).held, sched.job(B).hold_reason) == (False, "")


def test_more_capacity_starts_what_waits(sched: Checked) -> None:
    assert started(sched.handle(CapacitySet((2,)))) == [2]


@pytest.mark.parametrize("capacities", [(), (1, 1), (-1,), (16_385,)])
def test_a_capacity_that_cannot_be_is_wrong_usage(
    sched: Checked, capacities: tuple[int, ...]
) -> None:
    with pytest.raises(WrongUsage, match=r"1 resources|there cannot be"):
        sched.handle(CapacitySet(capacities))


def test_a_measured_capacity_has_no_bound() -> None:
    sched = make("m=1K")
    sched.handle(CapacitySet((1 << 40,)))
    assert sched.capacity == (1 << 40,)


def test_a_drained_slot_is_given_to_nobody_until_it_is_back() -> None:
    sched = make("2")
    assert sched.handle(SlotsDrained(0, (0, 0))) == []
    assert sched.drained == ((0,),)
    effects = sched.submit(new(1), new(2))
    assert effects == [1]
    assert sched.held == (1,)
    assert started(sched.handle(SlotsDrained(0, (0,), back=True))) == [2]


def test_a_job_that_drained_slots_make_impossible_keeps_nobody_waiting() -> None:
    sched = make("2")
    sched.handle(SlotsDrained(0, (1,)))
    assert sched.submit(new(1, 2), new(2, 1)) == [2]
    assert sched.job(A).passed == 0


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (SlotsDrained(2, (0,)), "there is no resource 2"),
        (SlotsDrained(-1, (0,)), "there is no resource -1"),
        (SlotsDrained(1, (0,)), "gpus is an amount"),
        (SlotsDrained(0, (1, 2)), "there is no slot cores:2"),
        (SlotsDrained(0, (-1,)), "there is no slot cores:-1"),
    ],
)
def test_draining_what_is_not_there_is_wrong_usage(event: SlotsDrained, message: str) -> None:
    with pytest.raises(WrongUsage, match=message):
        make("2,3K").handle(event)


def test_nothing_starts_while_starts_are_stopped(sched: Checked) -> None:
    sched.handle(StartsStopped())
    assert sched.starts_stopped
    assert sched.handle(Ended(A, OK)) == [EndJob(A, OK, Allocation(((0,),), (1,)), 1)]
    assert sched.submit(new(3)) == []
    assert started(sched.handle(StartsStopped(again=True))) == [2]
