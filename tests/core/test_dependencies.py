"""Who waits for whom, and what becomes of it."""

from __future__ import annotations

import pytest

from hsched.core.conditions import Standing, judge
from hsched.core.dependencies import Settled, waits_for_itself
from hsched.core.effects import ChangeJob, Effect, EndJob, StartJob
from hsched.core.events import CancelAsked, Ended, Event, NotStarted, Started, Submitted
from hsched.core.model import (
    Condition,
    Dependency,
    JobId,
    NewJob,
    Outcome,
    OutcomeKind,
    job_id,
)
from hsched.core.scheduler import Scheduler
from hsched.errors import Refused, WrongUsage
from tests.core.kit import (
    CANCELLED,
    FAILED,
    OK,
    TIMED_OUT,
    after,
    ids,
    make,
    new,
    numbered,
    started,
)

A, B, C = ids(1, 2, 3)
AFTER, AFTEROK, AFTERANY, AFTERNOTOK = Condition
PENDING, STARTED = Standing(False, False), Standing(True, False)
GOOD, BAD = Standing(True, True), Standing(True, True, "job 1 failed")


def lost(reason: str) -> Outcome:
    """Return the outcome of a job that can never run."""
    return Outcome(OutcomeKind.DEPENDENCY_FAILED, reason=reason)


@pytest.mark.parametrize(
    ("condition", "pending", "begun", "good", "bad"),
    [
        (AFTER, None, True, True, True),
        (AFTEROK, None, None, True, False),
        (AFTERANY, None, None, True, True),
        (AFTERNOTOK, None, None, False, True),
    ],
)
def test_a_condition_is_judged_by_how_the_upstream_stands(
    condition: Condition, pending: bool | None, begun: bool | None, good: bool, bad: bool
) -> None:
    standings = (PENDING, STARTED, GOOD, BAD)
    assert [judge(condition, s) for s in standings] == [pending, begun, good, bad]


def test_a_dependant_starts_when_its_upstream_has_succeeded() -> None:
    sched = make("2")
    sched.run(new(1), new(2, dependencies=after(1)))
    assert sched.job(B).dependencies == after(1)
    assert sched.end(1) == [2]
    assert sched.job(B).dependencies == ()


def test_a_dependant_waits_for_all_its_upstreams() -> None:
    sched = make("3")
    sched.run(new(1), new(2), new(3, dependencies=after(1, 2, 1)))
    assert sched.end(2) == []
    assert sched.job(C).dependencies == after(1)
    assert sched.end(1) == [3]


@pytest.mark.parametrize(
    ("outcome", "clause"),
    [
        (FAILED, "failed (exit status 1)"),
        (Outcome(OutcomeKind.SIGNALLED, signal=9), "was ended by signal 9"),
        (TIMED_OUT, "timed out"),
        (CANCELLED, "was cancelled"),
        (Outcome(OutcomeKind.SPAWN_FAILED, errno=2), "could not be spawned"),
        (Outcome(OutcomeKind.LOST), "was lost"),
    ],
)
def test_a_dependant_that_can_never_run_ends_and_says_why(outcome: Outcome, clause: str) -> None:
    sched = make()
    sched.run(new(1), new(2, dependencies=after(1)))
    end = sched.handle(Ended(A, outcome))[1]
    assert end == EndJob(B, lost(f"afterok: job 1 {clause}"), None, 1)


def test_afternotok_is_lost_when_the_upstream_succeeded() -> None:
    sched = make()
    sched.run(new(1), new(2, dependencies=after(1, condition="afternotok")))
    end = sched.handle(Ended(A, OK))[1]
    assert end == EndJob(B, lost("afternotok: job 1 succeeded"), None, 1)


def test_afterany_and_afternotok_are_met_by_a_failure() -> None:
    sched = make("2")
    edges = after(1, condition="afterany") + after(1, condition="afternotok")
    sched.run(new(1), new(2, dependencies=edges))
    assert sched.end(1, FAILED) == [2]


def test_after_is_met_by_the_start() -> None:
    sched = make("2")
    edges = after(1, condition="after")
    assert sched.submit(new(1), new(2, dependencies=edges)) == [1]
    effects = sched.handle(Started(A))
    assert effects[0] == ChangeJob(A)
    assert started(effects) == [2]
    assert sched.submit(new(3, dependencies=edges)) == []
    assert sched.job(C).dependencies == (), "it has started already"


def test_after_is_met_by_an_end_without_a_start() -> None:
    sched = make()
    sched.submit(new(1, held=True), new(2, dependencies=after(1, condition="after")))
    assert started(sched.handle(CancelAsked((A,)))) == [2]


def test_after_together_with_another_condition_leaves_the_other() -> None:
    sched = make("2")
    edges = after(1, condition="after") + after(1)
    sched.run(new(1), new(2, dependencies=edges))
    assert sched.job(B).dependencies == after(1)


def test_a_retry_is_no_end() -> None:
    sched = make("2")
    sched.run(new(1, retries=1), new(2, dependencies=after(1)))
    assert sched.end(1, FAILED) == [1]
    assert sched.submit(new(3, held=True, dependencies=after(1, condition="after"))) == []
    assert sched.job(C).dependencies == (), "its first attempt has run"


def test_a_start_that_did_not_come_about_is_no_start() -> None:
    sched = make("2")
    sched.submit(new(1), new(2, dependencies=after(1, condition="after")))
    assert started(sched.handle(NotStarted(A))) == [1]


def test_dependants_are_resolved_in_order_of_id_whatever_the_order_of_arrival() -> None:
    sched = make("9")
    sched.run(new(1))
    for number in (5, 3, 4):
        sched.submit(new(number, dependencies=after(1)))
    ended = sched.handle(Ended(A, FAILED))
    assert [effect.job_id for effect in ended] == list(ids(1, 3, 4, 5))


def test_upstreams_may_come_later_in_the_batch() -> None:
    sched = make()
    assert sched.submit(new(1, dependencies=after(2)), new(2)) == [2]
    assert sched.end(2) == [1]


@pytest.mark.parametrize(
    "batch",
    [
        (new(1, dependencies=after(1)),),
        (new(1, dependencies=after(2)), new(2, dependencies=after(1))),
        (new(1, index=0), new(1, index=1, dependencies=after(1))),
        (new(1, index=0, dependencies=after(2)), new(2, dependencies=after(1))),
    ],
)
def test_a_batch_that_waits_for_itself_is_wrong_usage(batch: tuple[NewJob, ...]) -> None:
    with pytest.raises(WrongUsage, match="would wait for itself"):
        make().handle(Submitted(batch))


def test_a_diamond_is_no_circle() -> None:
    sched = make()
    edges = {2: after(1), 3: after(1), 4: after(2, 3)}
    assert sched.submit(*(new(n, dependencies=edges.get(n, ())) for n in (4, 3, 2, 1))) == [1]


def test_nobody_waits_for_a_job_that_is_not_known() -> None:
    with pytest.raises(Refused, match=r"job 1 cannot wait for job 9: nothing is known of it"):
        make().handle(Submitted((new(1, dependencies=after(9)),)))


def test_a_finished_upstream_settles_at_once() -> None:
    sched = make()
    finished = {job_id(8): OK, job_id(9): FAILED}
    batch = (
        new(1, dependencies=after(8)),
        new(2, dependencies=after(9)),
        new(3, dependencies=after(2, condition="afterany")),
    )
    effects = sched.handle(Submitted(batch, finished))
    assert effects[0] == EndJob(B, lost("afterok: job 9 failed (exit status 1)"), None, 1)
    assert started(effects) == [1]


def test_a_failure_goes_down_a_chain_of_any_length() -> None:
    sched = Scheduler(numbered(1))
    batch = [new(1), *(new(n, dependencies=after(n - 1)) for n in range(2, 5_001))]
    sched.handle(Submitted(tuple(batch)), 0.0)
    effects = sched.handle(Ended(A, FAILED), 0.0)
    assert [e.job_id >> 21 for e in effects] == list(range(1, 5_001))
    assert effects[2] == EndJob(C, lost("afterok: job 2 never ran (dependency failed)"), None, 1)
    sched.check()


def test_a_job_that_two_upstreams_end_ends_once() -> None:
    sched = make()
    sched.submit(new(1, held=True), new(2, held=True), new(3, dependencies=after(1, 2)))
    effects = sched.handle(CancelAsked((A, B)))
    assert [effect.job_id for effect in effects] == [A, B, C]


def element(number: int, index: int, outcome: Outcome = OK) -> Event:
    """Return the end of an element of an array."""
    return Ended(job_id(number, index), outcome)


def array(number: int, size: int, **fields: object) -> list[NewJob]:
    """Return the elements of an array."""
    return [new(number, index=index, **fields) for index in range(size)]


def test_an_array_has_succeeded_when_each_element_has() -> None:
    sched = make("9")
    sched.run(*array(1, 2), new(2, dependencies=after(1)))
    assert started(sched.handle(element(1, 1))) == []
    assert started(sched.handle(element(1, 0))) == [2]


def test_the_first_failure_in_an_array_is_the_end_of_afterok() -> None:
    sched = make("9")
    sched.run(*array(1, 3), new(2, dependencies=after(1)))
    end = sched.handle(element(1, 1, FAILED))[1]
    assert end == EndJob(B, lost("afterok: job 1.1 failed (exit status 1)"), None, 1)
    late = sched.handle(Submitted((new(3, dependencies=after(1)),)))
    assert late == [EndJob(C, lost("afterok: job 1.1 failed (exit status 1)"), None, 1)]


def test_afternotok_of_an_array_waits_for_all_and_needs_one() -> None:
    sched = make("9")
    sched.run(*array(1, 2), new(2, dependencies=after(1, condition="afternotok")))
    assert started(sched.handle(element(1, 0, FAILED))) == []
    assert started(sched.handle(element(1, 1))) == [2]


def test_after_an_array_is_met_when_each_element_has_started_or_ended() -> None:
    sched = make("2")
    sched.submit(*array(1, 3), new(2, dependencies=after(1, condition="after")))
    sched.handle(Started(job_id(1, 0)))
    sched.handle(Started(job_id(1, 1)))
    assert len(sched.job(B).dependencies) == 1
    sched.handle(CancelAsked((job_id(1, 2),)))
    assert sched.job(B).dependencies == ()


def test_an_element_can_be_waited_for_by_itself() -> None:
    sched = make("9")
    edge = (Dependency(job_id(1, 1), AFTEROK),)
    sched.run(*array(1, 2), new(2, dependencies=edge))
    assert started(sched.handle(element(1, 1))) == [2]


def test_elements_that_finished_long_ago_count() -> None:
    sched = make("9")
    finished = {job_id(1, 0): OK, job_id(1, 1): FAILED, job_id(2, 0): OK}
    batch = (new(8, dependencies=after(1, condition="afternotok")), new(9, dependencies=after(2)))
    assert started(sched.handle(Submitted(batch, finished))) == [8, 9]


def test_a_live_array_learns_of_elements_that_finished_before() -> None:
    sched = make("9")
    sched.run(*array(1, 1))
    finished = {job_id(1, 5): FAILED}
    batch = (new(2, dependencies=after(1)),)
    (end,) = sched.handle(Submitted(batch, finished))
    assert end == EndJob(B, lost("afterok: job 1.5 failed (exit status 1)"), None, 1)


def test_an_array_runs_as_many_elements_at_once_as_it_may() -> None:
    sched = make("9")
    assert sched.submit(*array(1, 5, array_limit=2), new(2)) == [1, 1, 2]
    assert started(sched.handle(element(1, 1))) == [1]
    assert sched.running_count == 3


def test_elements_at_their_cap_hold_up_nobody() -> None:
    sched = make("4")
    batch = [*array(1, 3, array_limit=1), new(2, 4), new(3, 3)]
    assert sched.submit(*batch) == [1, 3]
    assert sched.job(B).passed == 1


def test_the_cap_of_an_array_holds_whatever_its_elements_ask_for() -> None:
    sched = make("9")
    elements = [new(1, 1 + index % 2, index=index, array_limit=1) for index in range(4)]
    assert sched.submit(*elements) == [1]
    for index in range(3):
        assert started(sched.handle(element(1, index))) == [1]


def test_a_lone_job_has_no_array_to_be_capped_with() -> None:
    assert make("2").submit(new(1, array_limit=1), new(2, array_limit=1)) == [1, 2]


def test_many_dependants_of_a_large_array_cost_their_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    sched, size, looks = Scheduler(numbered(9)), 300, 0
    dependencies = sched._ledger.dependencies
    settle = dependencies._settle

    def counted(upstream: JobId, standing: Standing, settled: Settled) -> None:
        nonlocal looks
        looks += len(dependencies._downstream.get(upstream, ()))
        settle(upstream, standing, settled)

    monkeypatch.setattr(dependencies, "_settle", counted)
    batch = [*array(1, size), *(new(n, dependencies=after(1)) for n in range(2, size + 2))]
    starts = sched.handle(Submitted(tuple(batch)), 0.0)
    while starts:
        effects: list[Effect] = []
        for start in starts:
            if isinstance(start, StartJob):
                sched.handle(Started(start.job_id), 0.0)
                effects += sched.handle(Ended(start.job_id, OK), 0.0)
        starts = effects
    assert sched.live_count == 0
    assert looks <= 3 * size


@pytest.mark.parametrize(
    ("edges", "found"),
    [({}, None), ({1: [2], 2: [3]}, None), ({1: [2], 2: [1]}, 1), ({1: [2], 2: [3], 3: [2]}, 2)],
)
def test_a_circle_is_found_wherever_it_is(edges: dict[int, list[int]], found: int | None) -> None:
    upstreams = {JobId(a): [JobId(b) for b in bs] for a, bs in edges.items()}
    assert waits_for_itself([JobId(1), JobId(2)], lambda i: upstreams.get(i, ())) == found
