"""A scheduler that takes note of what another one starts, and starts nothing itself."""

from __future__ import annotations

import pytest

from hsched.core.effects import ChangeJob, EndJob, SignalJob
from hsched.core.events import (
    CancelAsked,
    Ended,
    GivenUp,
    NotStarted,
    Requeued,
    Restored,
    RestoredJob,
    StartedElsewhere,
)
from hsched.core.model import Allocation, Outcome, OutcomeKind, State, job_id
from hsched.core.spec import parse_spec
from hsched.errors import IllegalTransition
from tests.core.kit import CANCELLED, FAILED, OK, Checked, after, ids, new

ONE, TWO = ids(1, 2)


def make() -> Checked:
    """Return a scheduler with one core that others give out."""
    return Checked(parse_spec("1"), elsewhere=True)


def states(sched: Checked) -> dict[int, str]:
    return {job.id >> 21: job.state.value for job in sched.live()}


def test_it_starts_nothing_and_says_where_jobs_wait() -> None:
    sched = make()
    assert sched.submit(new(1), new(2)) == []
    assert states(sched) == {1: "pending", 2: "pending"}
    assert sched.reason(ONE, 0.0) == "in the queue of another scheduler"


def test_every_job_counts_its_slots_from_0() -> None:
    sched = make()
    sched.submit(new(1), new(2))
    for identity in (ONE, TWO):
        assert sched.handle(StartedElsewhere(identity)) == [ChangeJob(identity)]
        assert sched.job(identity).allocation == Allocation(((0,),), (1,))
    assert (sched.held, sched.free) == ((2,), (1,))
    sched.end(1)
    assert sched.held == (1,)


def test_what_has_started_started_whatever_it_waited_for() -> None:
    sched = make()
    sched.submit(new(1), new(2, held=True, dependencies=after(1)))
    sched.handle(StartedElsewhere(TWO))
    sched.handle(GivenUp(ONE, FAILED))  # an upstream that cannot keep it from running any more
    assert states(sched) == {2: "running"}


def test_a_limit_counts_from_the_start_in_the_past() -> None:
    sched = make()
    sched.submit(new(1, time_limit_s=10.0))
    sched.handle(StartedElsewhere(ONE, ran_s=4.0), 100.0)
    assert sched.next_deadline() == 106.0


def test_a_pending_job_is_cancelled_once_the_other_says_so() -> None:
    sched = make()
    sched.submit(new(1))
    assert sched.handle(CancelAsked((ONE,), reason="hkill")) == [ChangeJob(ONE)]
    assert states(sched) == {1: "stopping"}
    (ended,) = sched.handle(NotStarted(ONE))
    assert isinstance(ended, EndJob)
    assert ended.outcome == Outcome(OutcomeKind.CANCELLED, reason="hkill")


def test_one_that_started_meanwhile_is_told_to_end() -> None:
    sched = make()
    sched.submit(new(1))
    sched.handle(CancelAsked((ONE,)))
    assert SignalJob(ONE, 15) in sched.handle(StartedElsewhere(ONE))
    (ended,) = sched.handle(Ended(ONE, OK))
    assert isinstance(ended, EndJob)
    assert ended.outcome.kind is OutcomeKind.CANCELLED


def test_a_requeued_job_is_pending_as_its_next_attempt() -> None:
    sched = make()
    sched.submit(new(1))
    sched.handle(StartedElsewhere(ONE))
    sched.handle(Requeued(ONE))
    assert (states(sched), sched.job(ONE).attempt, sched.held) == ({1: "pending"}, 2, (0,))
    sched.handle(StartedElsewhere(ONE))
    assert states(sched) == {1: "running"}


def test_a_rejected_job_ends_with_its_dependants() -> None:
    sched = make()
    sched.submit(new(1), new(2, dependencies=after(1)))
    why = Outcome(OutcomeKind.SPAWN_FAILED, reason="no such partition")
    first, second = sched.handle(GivenUp(ONE, why))
    assert isinstance(first, EndJob)
    assert isinstance(second, EndJob)
    assert first.outcome == why
    assert second.outcome.kind is OutcomeKind.DEPENDENCY_FAILED


def test_jobs_that_hold_the_same_slots_are_restored() -> None:
    sched = make()
    held = Allocation(((0,),), (1,))
    sched.handle(Restored(tuple(RestoredJob(new(n), State.RUNNING, held) for n in (1, 2))))
    assert sched.held == (2,)
    sched.end(2, CANCELLED)
    assert sched.held == (1,)


@pytest.mark.parametrize("event", [StartedElsewhere(ONE), GivenUp(ONE, OK)])
def test_a_running_job_neither_starts_nor_is_given_up(event: StartedElsewhere | GivenUp) -> None:
    sched = make()
    sched.submit(new(1))
    sched.handle(StartedElsewhere(ONE))
    with pytest.raises(IllegalTransition):
        sched.handle(event)


def test_an_array_is_known_by_its_elements() -> None:
    sched = make()
    sched.submit(new(1, index=0), new(1, index=1), new(2, dependencies=after(1)))
    for index in (0, 1):
        sched.handle(StartedElsewhere(job_id(1, index)))
        assert sched.job(TWO).unmet
        sched.handle(Ended(job_id(1, index), OK))
    assert not sched.job(TWO).unmet
