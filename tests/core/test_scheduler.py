"""Jobs come, start, end and are tried again: event in, exact effects out."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from hsched.core.effects import ChangeJob, EndJob, StartJob
from hsched.core.events import CancelAsked, Ended, Event, NotStarted, Started, Submitted
from hsched.core.model import Allocation, NewJob, Outcome, OutcomeKind, Request, State, job_id
from hsched.core.policy import Policy
from hsched.core.scheduler import HANDLERS, Scheduler
from hsched.errors import IllegalTransition, NoSuchJob, Refused, WrongUsage
from tests.core.kit import CANCELLED, FAILED, OK, ids, make, new, started

A, B, C = ids(1, 2, 3)


def slot(*indices: int) -> Allocation:
    """Return an allocation of these slots of the only resource."""
    return Allocation((indices,), (len(indices),))


def test_every_event_has_a_handler() -> None:
    assert set(HANDLERS) == set(get_args(Event))


def test_what_is_no_event_is_a_bug() -> None:
    with pytest.raises(IllegalTransition, match="is no event"):
        make().handle("Submitted")  # type: ignore[arg-type]  # this is the point


def test_a_job_that_fits_starts_at_once_on_the_lowest_slots() -> None:
    sched = make("3")
    assert sched.handle(Submitted((new(1, 2),))) == [StartJob(A, slot(0, 1), 1)]
    assert sched.handle(Submitted((new(2, 1),))) == [StartJob(B, slot(2), 1)]
    assert sched.job(A).state is State.STARTING


def test_a_started_job_runs() -> None:
    sched = make()
    sched.submit(new(1))
    assert sched.handle(Started(A), 7.0) == [ChangeJob(A)]
    assert (sched.job(A).state, sched.job(A).started) == (State.RUNNING, 7.0)


def test_the_end_of_a_job_starts_the_next_in_the_same_turn() -> None:
    sched = make()
    sched.run(new(1), new(2))
    assert sched.handle(Ended(A, FAILED)) == [
        EndJob(A, FAILED, slot(0), 1),
        StartJob(B, slot(0), 1),
    ]
    with pytest.raises(NoSuchJob, match="job 1 is not live"):
        sched.job(A)


def test_a_job_can_end_before_it_was_seen_to_start() -> None:
    sched = make()
    sched.submit(new(1))
    outcome = Outcome(OutcomeKind.SPAWN_FAILED, errno=2, reason="no such file")
    assert sched.handle(Ended(A, outcome)) == [EndJob(A, outcome, slot(0), 1)]


@pytest.mark.parametrize("event", [Started(A), Ended(A, OK), NotStarted(A)])
def test_a_pending_job_neither_starts_nor_ends_by_itself(event: Event) -> None:
    sched = make()
    sched.submit(new(1, held=True))
    with pytest.raises(IllegalTransition, match="job 1 is pending"):
        sched.handle(event)


@pytest.mark.parametrize("event", [Started(A), NotStarted(A)])
def test_a_job_starts_once(event: Event) -> None:
    sched = make()
    sched.run(new(1))
    with pytest.raises(IllegalTransition, match="job 1 is running"):
        sched.handle(event)


@pytest.mark.parametrize("event", [Started(A), Ended(A, OK), NotStarted(A)])
def test_a_job_that_is_not_live_is_named(event: Event) -> None:
    with pytest.raises(NoSuchJob, match="job 1 is not live"):
        make().handle(event)


def test_a_job_that_could_not_be_started_waits_again_and_its_attempt_does_not_count() -> None:
    sched = make()
    sched.submit(new(1))
    assert sched.handle(NotStarted(A)) == [ChangeJob(A), StartJob(A, slot(0), 1)]


def test_a_job_that_was_cancelled_and_could_not_be_started_is_done() -> None:
    sched = make()
    sched.submit(new(1))
    sched.handle(CancelAsked((A,)))
    assert sched.handle(NotStarted(A)) == [EndJob(A, CANCELLED, slot(0), 1)]


def test_a_job_that_stops_after_it_ran_cannot_be_one_that_did_not_start() -> None:
    sched = make()
    sched.run(new(1))
    sched.handle(CancelAsked((A,)))
    with pytest.raises(IllegalTransition, match="job 1 has started"):
        sched.handle(NotStarted(A))


@pytest.mark.parametrize("amounts", [(2,), (1, 1), (), (-1,)])
def test_a_request_that_can_never_fit_is_refused_with_the_whole_batch(
    amounts: tuple[int, ...],
) -> None:
    sched = make()
    with pytest.raises(Refused, match=r"^job 2"):
        sched.handle(Submitted((new(1), NewJob(B, Request(amounts)))))
    assert list(sched.live()) == []


def test_a_request_above_capacity_names_resource_request_and_total() -> None:
    with pytest.raises(Refused, match=r"^job 1 needs 3 gpus, there are now 2$"):
        make("6,2").handle(Submitted((new(1, 0, 3),)))


@pytest.mark.parametrize("fields", [{"time_limit_s": -1.0}, {"grace_s": float("nan")}])
def test_a_time_that_is_none_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="job 1: limit and grace are 0 seconds or more"):
        make().handle(Submitted((new(1, **fields),)))


def test_an_array_of_which_none_may_run_is_refused() -> None:
    with pytest.raises(Refused, match=r"job 1\.0: an array of which none may run"):
        make().handle(Submitted((new(1, index=0, array_limit=0),)))


@pytest.mark.parametrize(
    "batch",
    [
        (new(2), new(2)),
        (new(1),),
        (new(1, index=0),),
        (new(5),),
        (new(5, index=7),),
        (new(2), new(2, index=0)),
    ],
)
def test_an_id_is_given_once(batch: tuple[NewJob, ...]) -> None:
    sched = make()
    sched.submit(new(1), new(5, index=0))
    with pytest.raises(IllegalTransition, match=r"there already|is an array as well"):
        sched.handle(Submitted(batch))


def test_a_failed_job_is_tried_again_under_its_id_as_often_as_it_says() -> None:
    sched = make()
    sched.run(new(1, retries=1))
    assert sched.handle(Ended(A, FAILED)) == [ChangeJob(A), StartJob(A, slot(0), 2)]
    sched.handle(Started(A))
    assert sched.handle(Ended(A, FAILED)) == [EndJob(A, FAILED, slot(0), 2)]


@pytest.mark.parametrize(
    ("outcome", "again"),
    [
        (Outcome(OutcomeKind.FAILED, exit_status=1), True),
        (Outcome(OutcomeKind.FAILED, exit_status=2), False),
        (Outcome(OutcomeKind.SIGNALLED, signal=9), True),
        (Outcome(OutcomeKind.SIGNALLED, signal=15), False),
        (OK, False),
        (Outcome(OutcomeKind.LOST), False),
        (Outcome(OutcomeKind.SPAWN_FAILED, errno=2), False),
    ],
)
def test_only_the_failures_that_were_named_are_tried_again(outcome: Outcome, again: bool) -> None:
    sched = make()
    sched.run(new(1, retries=3, retry_on=(1, 137)))
    assert sched.end(1, outcome) == [1] * again


def test_a_failure_before_the_start_was_seen_is_tried_again_too() -> None:
    sched = make("2")
    sched.submit(new(1, index=0, retries=1), new(2, index=0))
    assert started(sched.handle(Ended(job_id(1, 0), FAILED))) == [1]
    assert sched.job(job_id(1, 0)).has_started


def test_a_job_that_waits_for_another_try_keeps_its_place() -> None:
    sched = make()
    sched.run(new(1, retries=1), new(2))
    assert sched.end(1, FAILED) == [1], "job 1 comes before job 2"


def test_the_pictures_show_what_is_there() -> None:
    sched = make("4,2", Policy.FIFO, 3)
    sched.run(new(2, 3, 1))
    sched.run(new(1, 4, 0))
    assert (sched.capacity, sched.free, sched.held) == ((4, 2), (1, 1), (3, 1))
    assert sched.drained == ((), ())
    assert [job.id for job in sched.live()] == [A, B]
    assert (sched.live_count, sched.pending_count, sched.running_count) == (2, 1, 1)
    assert (sched.policy, sched.overtake, sched.starts_stopped) == (Policy.FIFO, 3, False)
    assert [resource.name for resource in sched.resources] == ["cores", "gpus"]
    assert (sched.find(A), sched.find(C)) == (sched.job(A), None)


def test_the_members_of_an_array_are_its_live_elements() -> None:
    sched = make("2")
    sched.run(new(7, index=1), new(7, index=0), new(7, index=5))
    sched.handle(Ended(job_id(7, 0), OK))
    assert [job.id for job in sched.members(job_id(7))] == [job_id(7, 1), job_id(7, 5)]
    assert sched.members(job_id(8)) == []
    assert (sched.has_members(job_id(7)), sched.has_members(job_id(8))) == (True, False)


def test_time_never_goes_back() -> None:
    sched = make()
    sched.submit(new(1), now=5.0)
    sched.handle(Started(A), 3.0)
    assert sched.job(A).started == 5.0


def test_overtaking_less_than_never_makes_no_sense() -> None:
    with pytest.raises(WrongUsage, match="-1 times"):
        Scheduler((), overtake=-1)


def test_equal_requests_are_stored_once() -> None:
    sched = make("9")
    sched.submit(NewJob(A, Request((4,))), NewJob(B, Request((4,))))
    assert sched.job(A).request is sched.job(B).request
