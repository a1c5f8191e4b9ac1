"""Cancellations, time limits and graces: who is told to end, with what, and when."""

from __future__ import annotations

import pytest

from hsched.core.deadlines import SLACK_S
from hsched.core.effects import ChangeJob, EndJob, SignalJob, StartJob
from hsched.core.events import CancelAsked, Ended, Started, Submitted, SuspendAsked, TimePassed
from hsched.core.model import LimitWarning, NewJob, Outcome, OutcomeKind, State, job_id
from hsched.core.scheduler import Scheduler
from hsched.errors import NoSuchJob
from tests.core.kit import (
    CANCELLED,
    FAILED,
    OK,
    TIMED_OUT,
    Checked,
    after,
    ids,
    make,
    new,
    numbered,
)

A, B, C = ids(1, 2, 3)
TERM, KILL, CONT = 15, 9, 18


def running(job: NewJob, now: float = 0.0) -> Checked:
    """Return a scheduler of one slot with one running job."""
    sched = make()
    sched.run(job, now=now)
    return sched


def test_a_pending_job_that_is_cancelled_is_done() -> None:
    sched = running(new(1))
    sched.submit(new(2))
    effects = sched.handle(CancelAsked((B,), reason="by ann"))
    assert effects == [EndJob(B, Outcome(OutcomeKind.CANCELLED, reason="by ann"), None, 1)]


def test_a_running_job_that_is_cancelled_gets_term_and_after_its_grace_kill() -> None:
    sched = running(new(1, grace_s=5.0))
    assert sched.handle(CancelAsked((A,)), 10.0) == [ChangeJob(A), SignalJob(A, TERM)]
    assert sched.job(A).state is State.STOPPING
    assert sched.job(A).verdict == CANCELLED
    assert sched.next_deadline() == 15.0
    assert sched.handle(TimePassed(), 14.9) == []
    assert sched.handle(TimePassed(), 15.0) == [SignalJob(A, KILL)]


def test_kill_is_sent_once() -> None:
    sched = running(new(1))
    sched.handle(CancelAsked((A,), grace_s=0.0), 1.0)
    assert sched.handle(CancelAsked((A,), grace_s=0.0), 2.0) == []
    assert sched.handle(TimePassed(), 99.0) == []
    assert sched.next_deadline() is None


def test_without_a_grace_kill_is_all_that_is_sent() -> None:
    sched = running(new(1, grace_s=5.0))
    assert sched.handle(CancelAsked((A,), grace_s=0.0)) == [ChangeJob(A), SignalJob(A, KILL)]
    assert sched.job(A).grace_s == 0.0


@pytest.mark.parametrize("natural", [OK, FAILED, Outcome(OutcomeKind.SIGNALLED, signal=15)])
def test_a_cancelled_job_ends_as_cancelled_and_its_status_is_kept(natural: Outcome) -> None:
    sched = running(new(1, retries=3))
    sched.handle(CancelAsked((A,), reason="by ann"))
    (end,) = sched.handle(Ended(A, natural))
    assert isinstance(end, EndJob)
    expected = (OutcomeKind.CANCELLED, natural.exit_status, natural.signal, "by ann")
    got = end.outcome
    assert (got.kind, got.exit_status, got.signal, got.reason) == expected


def test_a_starting_job_is_told_to_end_when_it_has_started() -> None:
    sched = make()
    sched.submit(new(1, grace_s=5.0))
    assert sched.handle(CancelAsked((A,)), 1.0) == [ChangeJob(A)]
    assert sched.next_deadline() is None
    assert sched.handle(Started(A), 3.0) == [ChangeJob(A), SignalJob(A, TERM)]
    assert sched.next_deadline() == 8.0, "the grace counts from TERM"


def test_a_starting_job_can_be_cancelled_harder_before_it_has_started() -> None:
    sched = make()
    sched.submit(new(1))
    sched.handle(CancelAsked((A,)))
    assert sched.handle(CancelAsked((A,), grace_s=0.0)) == [ChangeJob(A)]
    assert sched.handle(Started(A)) == [ChangeJob(A), SignalJob(A, KILL)]


def test_cancelling_again_can_only_shorten_the_grace() -> None:
    sched = running(new(1, grace_s=10.0))
    sched.handle(CancelAsked((A,)), 0.0)
    assert sched.handle(CancelAsked((A,)), 1.0) == []
    assert sched.handle(CancelAsked((A,), grace_s=60.0), 1.0) == []
    assert sched.next_deadline() == 10.0
    assert sched.handle(CancelAsked((A,), grace_s=2.0), 1.0) == [ChangeJob(A)]
    assert sched.next_deadline() == 3.0
    assert sched.handle(CancelAsked((A,), grace_s=0.0), 1.0) == [ChangeJob(A), SignalJob(A, KILL)]


def test_a_suspended_job_that_is_cancelled_is_continued_to_see_it() -> None:
    sched = running(new(1))
    sched.handle(SuspendAsked((A,)))
    expected = [ChangeJob(A), SignalJob(A, TERM), SignalJob(A, CONT)]
    assert sched.handle(CancelAsked((A,))) == expected
    assert not sched.job(A).suspended


def test_an_unknown_id_cancels_nobody() -> None:
    sched = running(new(1))
    with pytest.raises(NoSuchJob, match="job 2 is not live"):
        sched.handle(CancelAsked((A, B)))


def test_an_id_that_is_there_twice_counts_once() -> None:
    sched = running(new(1))
    assert sched.handle(CancelAsked((A, A))) == [ChangeJob(A), SignalJob(A, TERM)]


def test_jobs_that_are_cancelled_together_are_cancelled_and_not_dependency_failed() -> None:
    sched = make()
    sched.submit(new(1, held=True), new(2, dependencies=after(1)), new(3, dependencies=after(2)))
    effects = sched.handle(CancelAsked((B, A)))
    failed = Outcome(OutcomeKind.DEPENDENCY_FAILED, reason="afterok: job 2 was cancelled")
    assert effects == [
        EndJob(A, CANCELLED, None, 1),
        EndJob(B, CANCELLED, None, 1),
        EndJob(C, failed, None, 1),
    ]


def test_a_job_is_told_to_end_at_its_limit_which_counts_from_its_start() -> None:
    sched = make()
    sched.submit(new(1, time_limit_s=60.0, grace_s=5.0), now=0.0)
    assert sched.next_deadline() is None
    sched.handle(Started(A), 2.0)
    assert sched.next_deadline() == 62.0
    assert sched.handle(TimePassed(), 62.0) == [ChangeJob(A), SignalJob(A, TERM)]
    assert sched.handle(TimePassed(), 67.0) == [SignalJob(A, KILL)]
    (end,) = sched.handle(Ended(A, Outcome(OutcomeKind.SIGNALLED, signal=9)), 67.1)
    assert isinstance(end, EndJob)
    assert end.outcome == Outcome(OutcomeKind.TIMED_OUT, signal=9)


def test_a_limit_without_grace_kills_at_once() -> None:
    sched = running(new(1, time_limit_s=60.0, grace_s=0.0))
    assert sched.handle(TimePassed(), 60.0) == [ChangeJob(A), SignalJob(A, KILL)]


def test_the_first_verdict_stands() -> None:
    sched = running(new(1, time_limit_s=60.0))
    sched.handle(TimePassed(), 60.0)
    sched.handle(CancelAsked((A,)), 61.0)
    assert sched.job(A).verdict == TIMED_OUT


def test_a_job_that_ended_in_time_is_not_timed_out() -> None:
    sched = running(new(1, time_limit_s=60.0))
    assert sched.end(1, now=60.5) == []
    assert sched.next_deadline() is None
    assert sched.handle(TimePassed(), 61.0) == []


def test_suspended_time_counts() -> None:
    sched = running(new(1, time_limit_s=60.0))
    sched.handle(SuspendAsked((A,)), 1.0)
    signals = [SignalJob(A, TERM), SignalJob(A, CONT)]
    assert sched.handle(TimePassed(), 60.0) == [ChangeJob(A), *signals]


def test_a_warning_comes_so_long_before_the_limit() -> None:
    sched = running(new(1, time_limit_s=60.0, warning=LimitWarning(10, 20.0)))
    assert sched.next_deadline() == 40.0
    assert sched.handle(TimePassed(), 40.0) == [SignalJob(A, 10)]
    assert sched.next_deadline() == 60.0


def test_a_warning_longer_than_the_limit_comes_at_the_start() -> None:
    sched = running(new(1, time_limit_s=60.0, warning=LimitWarning(10, 90.0)), now=5.0)
    assert sched.handle(TimePassed(), 5.0) == [SignalJob(A, 10)]


def test_a_warning_that_is_too_late_is_not_sent() -> None:
    sched = running(new(1, time_limit_s=60.0, warning=LimitWarning(10, 20.0)))
    assert sched.handle(TimePassed(), 60.0) == [ChangeJob(A), SignalJob(A, TERM)]


def test_a_warning_without_a_limit_never_comes() -> None:
    assert running(new(1, warning=LimitWarning(10, 20.0))).next_deadline() is None


def test_each_attempt_has_its_limit_anew() -> None:
    sched = running(new(1, time_limit_s=60.0, retries=1))
    sched.end(1, FAILED, now=50.0)
    sched.handle(Started(A), 51.0)
    assert sched.next_deadline() == 111.0


def test_a_job_does_not_start_before_its_moment() -> None:
    sched = make()
    assert sched.submit(new(1, not_before=10.0), new(2, not_before=3.0), now=5.0) == [2]
    sched.end(2, now=6.0)
    assert sched.next_deadline() == 10.0
    (start,) = sched.handle(TimePassed(), 10.0)
    assert isinstance(start, StartJob)
    assert start.job_id == A


def test_moments_that_no_longer_come_do_not_pile_up() -> None:
    sched = Scheduler(numbered(1))
    for number in range(1, 400):
        sched.handle(Submitted((new(number, time_limit_s=3600.0),)), 0.0)
        sched.handle(Started(job_id(number)), 0.0)
        sched.handle(Ended(job_id(number), OK), 0.0)
    assert len(sched._ledger.deadlines._heap) <= 128
    assert sched.next_deadline() is None


def test_a_job_that_survives_kill_wakes_the_scheduler_once_more() -> None:
    sched = running(new(1))
    sched.handle(CancelAsked((A,), grace_s=0.0), 3.0)
    assert sched.next_deadline() == 3.0 + SLACK_S
