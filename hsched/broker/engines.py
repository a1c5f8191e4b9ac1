"""What runs a broker's jobs: this machine, or a cluster of Slurm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsched.broker.local import Local

if TYPE_CHECKING:
    from hsched.broker.broker import Broker
    from hsched.broker.slurm.engine import SlurmEngine

    Engine = Local | SlurmEngine


def engine_of(broker: Broker) -> Engine:
    """Return the engine that the run of ``broker`` was started with."""
    if broker.run.options.get("engine") != "slurm":
        return Local(broker)
    from hsched.broker.slurm.engine import SlurmEngine  # for the few brokers that have it

    return SlurmEngine(broker)
