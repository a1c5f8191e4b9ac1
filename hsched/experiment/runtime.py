"""The task that this process runs, where it runs one: what its body may ask about itself."""

from __future__ import annotations

import os
import time
from typing import Any

from hsched.errors import WrongUsage


class Running:
    """A running task: its folder and its time.

    ``time_limit``, ``warned`` and ``grace`` are seconds; the limit counts from ``started`` on
    the monotonic clock, the process is told so long before it, and killed a grace after it.
    """

    def __init__(self, folder: str, run: dict[str, Any], started: float) -> None:
        self.folder = folder
        self.workspace: str = run["workspace"]
        self.name: str = run["name"]
        self.resumable: bool = run["resumable"]
        self.time_limit: float | None = run.get("time_limit")
        self.grace: float = run.get("grace", 5.0)
        self.warned: float = run.get("warned", self.grace)
        self.started = started
        self.type_name: str = run.get("type", self.name)
        self.outputs: set[str] | None = None  # lines that were given out, once they were read
        self._end: float | None = None
        self._asked = False

    def remaining_time(self) -> float | None:
        """Return the seconds to the time limit, None where there is none."""
        if self.time_limit is not None:
            return self.started + self.time_limit - time.monotonic()
        if not self._asked:
            self._asked = True
            left = _slurm_time_left() if "SLURM_JOB_ID" in os.environ else None
            self._end = None if left is None else time.monotonic() + left
        return None if self._end is None else self._end - time.monotonic()

    def is_time_up(self) -> bool:
        """Return whether who ends us now does so because of the limit."""
        left = self.remaining_time()
        return left is not None and left <= self.warned + 1.0

    def until_kill(self) -> float | None:
        """Return in how many seconds we are killed, as of the moment we were told to end."""
        if self.time_limit is not None and self.is_time_up():
            return max(0.0, self.started + self.time_limit + self.grace - time.monotonic())
        return self.grace if "HSCHED_JOB_ID" in os.environ else None


#: What this process runs; None in a driver or any other program.
now: Running | None = None


def current(what: str) -> Running:
    """Return the running task.

    Raises:
        WrongUsage: this process runs none; ``what`` needs one.
    """
    if now is None:
        raise WrongUsage(f"{what} works inside a running task only, in execute() or what it calls")
    return now


def remaining_time() -> float | None:
    """Return the seconds that the running task has left, None where it has no limit.

    Raises:
        WrongUsage: this process runs no task.
    """
    return current("remaining_time()").remaining_time()


def _slurm_time_left() -> float | None:
    from hsched.slurm.time_left import time_left_s  # slow to import, and only under Slurm

    return time_left_s()
