"""Anything at any time: what is illegal changes nothing, and the books are in order after all."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hsched.core import events
from hsched.core.effects import ChangeJob, Effect, EndJob, SignalJob, StartJob
from hsched.core.model import (
    Condition,
    Dependency,
    JobId,
    LimitWarning,
    NewJob,
    Outcome,
    OutcomeKind,
    Request,
    State,
    job_id,
)
from hsched.core.policy import Policy
from hsched.core.spec import parse_spec
from hsched.errors import HschedError
from tests.core.kit import Checked

NUMBERS = st.integers(1, 12)
IDS = st.builds(job_id, NUMBERS, st.sampled_from([None, None, None, 0, 1]))
SOME = st.lists(IDS, min_size=1, max_size=3).map(tuple)
EDGES = st.lists(st.builds(Dependency, IDS, st.sampled_from(Condition)), max_size=2).map(tuple)
REQUESTS = st.builds(
    Request, st.tuples(st.integers(0, 3), st.integers(0, 2), st.sampled_from([0, 1 << 10, 1 << 11]))
)
SECONDS = st.sampled_from([0.0, 1.0, 3.0, 10.0])
OUTCOMES = st.one_of(
    st.builds(Outcome, st.just(OutcomeKind.FAILED), exit_status=st.integers(1, 3)),
    st.builds(Outcome, st.just(OutcomeKind.SIGNALLED), signal=st.sampled_from([9, 15])),
    st.builds(Outcome, st.sampled_from([OutcomeKind.SUCCEEDED, OutcomeKind.LOST])),
)
FINISHED = st.dictionaries(IDS, OUTCOMES, max_size=2)
JOBS = st.builds(
    NewJob,
    id=IDS,
    request=REQUESTS,
    priority=st.integers(-1, 1),
    dependencies=EDGES,
    held=st.booleans(),
    not_before=st.none() | st.floats(0, 60),
    time_limit_s=st.none() | SECONDS,
    grace_s=SECONDS,
    warning=st.none() | st.builds(LimitWarning, st.just(10), SECONDS),
    retries=st.integers(0, 1),
    retry_on=st.sampled_from([(), (1, 137)]),
    array_limit=st.none() | st.integers(0, 2),
)
EVENTS = st.one_of(
    st.builds(events.Submitted, st.lists(JOBS, min_size=1, max_size=3).map(tuple), FINISHED),
    st.builds(events.Started, IDS),
    st.builds(events.NotStarted, IDS),
    st.builds(events.Ended, IDS, OUTCOMES),
    st.builds(events.CancelAsked, SOME, st.none() | SECONDS),
    st.builds(events.SignalAsked, SOME, st.just(10)),
    st.builds(events.HoldAsked, SOME),
    st.builds(events.ReleaseAsked, SOME),
    st.builds(
        events.UpdateAsked,
        SOME,
        priority=st.none() | st.integers(-1, 1),
        requests=st.dictionaries(IDS, REQUESTS, max_size=2),
        time_limit_s=st.none() | SECONDS,
        no_time_limit=st.booleans(),
        dependencies=st.none() | EDGES,
        finished=FINISHED,
    ),
    st.builds(events.SuspendAsked, SOME),
    st.builds(events.ResumeAsked, SOME),
    st.builds(
        events.CapacitySet,
        st.tuples(st.integers(0, 4), st.integers(0, 2), st.sampled_from([0, 1 << 11])),
    ),
    st.builds(events.SlotsDrained, st.integers(0, 2), st.tuples(st.integers(0, 3)), st.booleans()),
    st.builds(events.StartsStopped, st.booleans()),
    st.builds(events.TimePassed),
)


class Anything(RuleBasedStateMachine):
    """A broker gone mad, which still believes its effects."""

    def __init__(self) -> None:
        super().__init__()
        self.sched = Checked(())
        self.now = 0.0
        self.states: dict[JobId, State] = {}

    @initialize(policy=st.sampled_from(Policy), overtake=st.integers(0, 2))
    def begin(self, policy: Policy, overtake: int) -> None:
        """Start with an empty scheduler."""
        self.sched = Checked(parse_spec("3,2,m=2K"), policy, overtake)

    @rule(event=EVENTS, seconds=st.sampled_from([0.0, 0.0, 1.0, 5.0]))
    def happen(self, event: events.Event, seconds: float) -> None:
        """Let anything happen, whether or not it is legal."""
        self.now += seconds
        try:
            effects = self.sched.handle(event, self.now)
        except HschedError:
            return
        self.believe(effects)

    @rule(event=st.sampled_from(["start", "end"]), outcome=OUTCOMES)
    def go_on(self, event: str, outcome: Outcome) -> None:
        """Let a job that holds slots go on, as the world would."""
        for job in self.sched.live():
            if event == "start" and job.state is State.STARTING:
                self.believe(self.sched.handle(events.Started(job.id), self.now))
                return
            if event == "end" and job.is_holding:
                self.believe(self.sched.handle(events.Ended(job.id, outcome), self.now))
                return

    def believe(self, effects: list[Effect]) -> None:
        """Keep own books from the effects alone."""
        for effect in effects:
            match effect:
                case EndJob(identity):
                    self.states.pop(identity, None)
                    assert self.sched.find(identity) is None, "done, and still live"
                case StartJob(identity, allocation, attempt):
                    job = self.sched.job(identity)
                    assert (job.allocation, job.attempt) == (allocation, attempt)
                    assert allocation.amounts == job.request.amounts
                    self.states[identity] = State.STARTING
                case ChangeJob(identity) | SignalJob(identity):
                    self.states[identity] = self.sched.job(identity).state

    @invariant()
    def nobody_that_started_is_forgotten(self) -> None:
        """A job that started is live until an effect said that it ended."""
        for identity in self.states:
            assert self.sched.find(identity) is not None

    @invariant()
    def every_pending_job_has_a_reason(self) -> None:
        """And whoever is asked for an expected start does not fail."""
        for job in self.sched.live():
            pending = job.state is State.PENDING
            assert bool(self.sched.reason(job.id, self.now)) == pending
            self.sched.expected_start(job.id, self.now)


TestAnything = pytest.mark.slow(Anything.TestCase)
TestAnything.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
