"""The end of a drained scheduler: nothing runs, and what is pending waits for the next start."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hsched.broker.broker import Broker


def finish(broker: Broker) -> None:
    """End the broker; its run is over if no job is left, and else goes on later.

    The option that says so stays with the run, so that nothing but `hstart --continue`
    starts its jobs.
    """
    if not broker.engine.is_settled:
        return  # what is pending is being held where it waits
    broker.store.begin()
    if not broker.scheduler.live_count:
        broker.store.end_run(broker.run.number, broker.wall)
    broker.leave(for_good=True)
