"""The scheduler and its plain reference agree on each start, whatever happens."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsched.core.events import (
    CancelAsked,
    Event,
    HoldAsked,
    ReleaseAsked,
    StartsStopped,
    UpdateAsked,
)
from hsched.core.model import Resource, job_id
from hsched.core.policy import Policy
from tests.core.kit import Checked, new, started
from tests.core.reference import Item, Reference


@st.composite
def _amounts(draw: st.DrawFn, capacity: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(draw(st.integers(0, most)) for most in capacity)


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_it_starts_what_the_reference_starts(data: st.DataObject) -> None:
    capacity = data.draw(st.sampled_from([(2,), (5,), (3, 2), (6, 2, 8)]), "capacity")
    policy = data.draw(st.sampled_from([Policy.BACKFILL] * 3 + list(Policy)), "policy")
    overtake = data.draw(st.integers(0, 3), "overtake")
    resources = [Resource(f"r{i}", most, numbered=i != 1) for i, most in enumerate(capacity)]
    ours = Checked(resources, policy, overtake)
    theirs = Reference(capacity, policy, overtake)
    now, number = 0.0, 0
    for _ in range(data.draw(st.integers(1, 40), "steps")):
        now += data.draw(st.integers(0, 3), "wait")
        # A bound that has passed is news to the scheduler when it is asked to look again.
        look = ours.handle(StartsStopped(again=True), now)
        assert started(look) == theirs.dispatch(now)
        pending, holding = sorted(theirs.pending), sorted(theirs.holding)
        kinds = ["submit", "submit"] + ["end"] * 2 * bool(holding)
        kinds += ["cancel", "hold", "release", "update"] * bool(pending)
        kind = data.draw(st.sampled_from(kinds), "kind")
        if kind == "submit":
            number += 1
            limit = data.draw(st.sampled_from([None, None, 1.0, 2.0, 5.0]), "limit")
            job = Item(number, data.draw(_amounts(capacity)), data.draw(st.integers(-1, 1)))
            job.length_s = job.length_s if limit is None else limit
            theirs.pending[number] = job
            fields: dict[str, Any] = {
                "priority": job.priority,
                "time_limit_s": limit,
                "grace_s": 0.0,
            }
            starts = ours.submit(new(number, *job.needs, **fields), now=now)
        elif kind == "end":
            gone = data.draw(st.sampled_from(holding), "gone")
            del theirs.holding[gone]
            starts = ours.end(gone, now=now)
        else:
            chosen = data.draw(st.sampled_from(pending), "chosen")
            target = (job_id(chosen),)
            if kind == "cancel":
                del theirs.pending[chosen]
                event: Event = CancelAsked(target)
            elif kind == "update":
                theirs.pending[chosen].priority = data.draw(st.integers(-1, 1))
                event = UpdateAsked(target, priority=theirs.pending[chosen].priority)
            else:
                theirs.pending[chosen].held = kind == "hold"
                event = HoldAsked(target) if kind == "hold" else ReleaseAsked(target)
            starts = started(ours.handle(event, now))
        assert starts == theirs.dispatch(now)
        for job in theirs.pending.values():
            assert ours.job(job_id(job.number)).passed == job.passed
