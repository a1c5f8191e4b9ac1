"""Random histories of a real broker, compared step by step with a model."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.crash.world import CORES, World

data = st.data()
statuses = st.sampled_from([0, 0, 1, 7])


class Histories(RuleBasedStateMachine):
    """Submissions, ends, cancellations and crashes, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()

    def teardown(self) -> None:
        """End the broker and its jobs."""
        self.world.close()

    @rule(
        amount=st.integers(0, CORES),
        back=st.integers(0, 3),
        condition=st.sampled_from(["afterany", "afterok", "afternotok"]),
    )
    def submit(self, amount: int, back: int, condition: str) -> None:
        """Submit a job, depending on none or on one of the last three."""
        number = len(self.world.jobs) + 1 - back
        upstream = str(number) if back and number > 0 else None
        self.world.submit(amount, upstream, condition)

    @precondition(lambda self: self.world.live())
    @rule(choice=data, status=statuses)
    def finish(self, choice: st.DataObject, status: int) -> None:
        """Let a running job exit."""
        if running := self.world.running():
            self.world.finish(choice.draw(st.sampled_from(running)), status)

    @precondition(lambda self: self.world.live())
    @rule(choice=data, status=statuses)
    def finish_without_broker(self, choice: st.DataObject, status: int) -> None:
        """Let a running job exit while the broker is dead."""
        if running := self.world.running():
            self.world.finish_without_broker(choice.draw(st.sampled_from(running)), status)

    @precondition(lambda self: self.world.live())
    @rule(choice=data)
    def cancel(self, choice: st.DataObject) -> None:
        """Cancel a live job."""
        self.world.cancel(choice.draw(st.sampled_from(self.world.live())))

    @precondition(lambda self: self.world.live())
    @rule(choice=data)
    def lose(self, choice: st.DataObject) -> None:
        """Kill the shim of a running job."""
        if running := self.world.running():
            self.world.lose(choice.draw(st.sampled_from(running)))

    @rule()
    def crash(self) -> None:
        """Kill the broker."""
        self.world.crash()

    @invariant()
    def broker_and_model_agree(self) -> None:
        """Compare after every step."""
        self.world.check()


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=6,
    stateful_step_count=20,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
