"""``experiment``, for scripts; what it needs of the driver is not loaded where a task runs.

A task's process imports the script that defines its class, and with it this name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsched.experiment import running

if TYPE_CHECKING or running.task is None:
    from hsched.experiment.driver import active, experiment, experiment_of
else:
    from hsched.experiment.inside import active, experiment, experiment_of

__all__ = ["active", "experiment", "experiment_of"]
