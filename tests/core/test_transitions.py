"""The table of a job's life: every pair has an answer."""

from __future__ import annotations

import pytest

from hsched.core.model import State, job_id
from hsched.core.transitions import ASKED, STATES, TABLE, TRANSITIONS, Step, next_state, render
from hsched.errors import IllegalTransition, Refused

PAIRS = [(state, step) for state in State for step in Step]


def test_every_state_answers_every_step() -> None:
    assert set(TRANSITIONS) == set(PAIRS)
    assert all(len(row) == len(STATES) for row in TABLE.values())


@pytest.mark.parametrize(("state", "step"), [p for p in PAIRS if TRANSITIONS[p] is not None])
def test_an_allowed_step_leads_where_the_table_says(state: State, step: Step) -> None:
    assert next_state(job_id(7), state, step) is TRANSITIONS[state, step]


@pytest.mark.parametrize(("state", "step"), [p for p in PAIRS if TRANSITIONS[p] is None])
def test_a_step_that_is_not_allowed_names_job_and_state(state: State, step: Step) -> None:
    error = Refused if step in ASKED else IllegalTransition
    with pytest.raises(error, match=rf"^job 7 is {state.value}: {step.value} is for .+ jobs$"):
        next_state(job_id(7), state, step)


def test_what_people_ask_for_is_refused_and_what_the_world_tells_is_a_bug() -> None:
    told = {Step.START, Step.STARTED, Step.NOT_STARTED, Step.ENDED, Step.RETRY, Step.GIVE_UP}
    assert set(Step) - ASKED == told | {Step.TIME_OUT}


def test_nothing_happens_to_a_job_that_is_done() -> None:
    assert {TRANSITIONS[State.DONE, step] for step in Step} == {None}


def test_the_table_can_be_printed() -> None:
    lines = render().splitlines()
    assert lines[0].split() == [state.value for state in STATES]
    assert len(lines) == 1 + len(Step)
    assert "hold        pending     -           -           -           -" in lines
