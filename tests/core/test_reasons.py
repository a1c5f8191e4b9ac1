"""Why is it pending, and until when?"""

from __future__ import annotations

from typing import Any

import pytest

from hsched.core.events import CapacitySet, HoldAsked, SlotsDrained, StartsStopped
from hsched.core.model import JobId, job_id
from hsched.core.policy import Policy
from hsched.errors import NoSuchJob
from tests.core.kit import Checked, after, ids, make, new

A, B, C = ids(1, 2, 3)


def why(sched: Checked, number: int, now: float = 0.0) -> str:
    """Return the reason of a plain job."""
    return sched.reason(job_id(number), now)


def test_a_job_that_is_not_pending_has_no_reason() -> None:
    sched = make()
    sched.submit(new(1))
    assert why(sched, 1) == ""


def test_a_held_job_is_held() -> None:
    sched = make()
    sched.submit(new(1, held=True))
    assert why(sched, 1) == "held"


def test_a_dependant_names_what_it_waits_for() -> None:
    sched = make("9")
    sched.run(*(new(n) for n in range(1, 6)))
    edges = after(2) + after(1, condition="afterany")
    sched.submit(new(8, dependencies=edges), new(9, dependencies=after(*range(1, 6))))
    assert why(sched, 8) == "dependency: afterany 1, afterok 2"
    assert why(sched, 9) == "dependency: afterok 1, afterok 2, afterok 3 and 2 more"


def test_a_job_that_begins_later_says_so() -> None:
    sched = make()
    sched.submit(new(1, not_before=10.0))
    assert why(sched, 1, 9.0) == "begins later"
    assert why(sched, 1, 10.0) == "begins now"


def test_stopped_starts_are_a_reason() -> None:
    sched = make()
    sched.handle(StartsStopped())
    sched.submit(new(1))
    assert why(sched, 1) == "starts are stopped"


def test_a_job_short_of_slots_says_of_which_and_who_holds_them() -> None:
    sched = make("6,2,mem=32G")
    sched.submit(new(17, 1, 1, 0), new(18, 3, 0, 32 << 30), new(19, 2, 2, 1 << 29))
    gpus = "needs 2 gpus, 1 free (job 17 holds 1)"
    assert why(sched, 19) == f"slots: {gpus}; needs 512M mem, 0G free (job 18 holds 32G)"


def test_moments_are_told_to_who_has_words_for_them() -> None:
    sched = make("2")
    limited = new(17, time_limit_s=60.0, grace_s=5.0)
    sched.submit(limited, new(18), new(19, 2), new(20, not_before=70.0))

    def told(moment: float) -> str:
        """Put a moment into words."""
        return f"second {moment:.0f}"

    holders = "(job 17 holds 1 until second 65, job 18 holds 1)"
    assert sched.reason(job_id(19), 0.0, told) == f"slots: needs 2 cores, 0 free {holders}"
    assert sched.reason(job_id(20), 0.0, told) == "begins second 70"


def test_many_holders_are_not_all_named() -> None:
    sched = make("5")
    sched.submit(*(new(n) for n in range(1, 6)), new(6))
    named = "job 1 holds 1, job 2 holds 1, job 3 holds 1 and 2 more"
    assert why(sched, 6) == f"slots: needs 1 cores, 0 free ({named})"


def test_a_job_that_would_fit_is_behind_the_head() -> None:
    sched = make("2", Policy.FIFO)
    sched.submit(new(1))
    sched.submit(new(15, 2, priority=5), new(16))
    assert why(sched, 16) == "behind 15 (priority 5)"


def test_a_drained_slot_is_named() -> None:
    sched = make("4,2")
    sched.handle(SlotsDrained(1, (1,)))
    sched.submit(new(1, 0, 2))
    assert why(sched, 1) == "unavailable: slot gpus:1 is drained"
    sched.handle(SlotsDrained(1, (0,)))
    assert why(sched, 1) == "unavailable: slots gpus:0, gpus:1 are drained"


def test_an_element_of_an_array_at_its_cap_says_so() -> None:
    sched = make("4")
    sched.submit(new(1, index=0, array_limit=1), new(1, index=1, array_limit=1))
    reason = "array: 1 of its elements run, the most is 1"
    assert sched.reason(job_id(1, 1), 0.0) == reason


def test_a_job_that_no_longer_fits_gives_the_numbers() -> None:
    sched = make("8")
    sched.submit(new(1, 8), new(2, 8))
    sched.handle(CapacitySet((4,)))
    assert why(sched, 2) == "held: needs 8 cores, there are now 4"


@pytest.mark.parametrize("ask", [Checked.reason, Checked.expected_start])
def test_a_job_that_is_not_live_is_refused(ask: object) -> None:
    with pytest.raises(NoSuchJob, match="job 1 is not live"):
        ask(make(), A, 0.0)  # type: ignore[operator]  # one of two methods


def expected(sched: Checked, *jobs: JobId, now: float = 0.0) -> list[float | None]:
    """Return when these jobs are expected to start."""
    return [sched.expected_start(one, now) for one in jobs]


def test_a_start_is_expected_when_those_ahead_are_gone() -> None:
    sched = make("2")
    fields: dict[str, Any] = {"time_limit_s": 10.0, "grace_s": 0.0}
    sched.submit(*(new(n, 2, **fields) for n in (1, 2, 3)))
    assert expected(sched, A, B, C) == [None, 10.0, 20.0]
    sched.submit(new(4, 1, priority=1, **fields))
    assert expected(sched, job_id(4), B, C) == [10.0, 20.0, 30.0]


def test_no_start_is_expected_behind_a_job_without_a_limit() -> None:
    sched = make("2")
    sched.submit(new(1, 2, time_limit_s=10.0, grace_s=0.0), new(2, 2), new(3, 2))
    assert expected(sched, B, C) == [10.0, None]


def test_no_start_is_expected_of_what_cannot_start() -> None:
    sched = make("2")
    sched.submit(new(1, 2, time_limit_s=10.0), new(2, 2), new(3, 1))
    sched.handle(SlotsDrained(0, (0,)))
    assert expected(sched, B, C) == [None, 15.0]
    sched.handle(HoldAsked((C,)))
    assert expected(sched, C) == [None]
    sched.handle(StartsStopped())
    assert expected(sched, B) == [None]
