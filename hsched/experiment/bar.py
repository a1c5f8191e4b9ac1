"""The bar of an experiment, on a terminal."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from hsched.experiment import reporting
from hsched.experiment.board import Board
from hsched.experiment.jobs import JobState

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

#: So many running tasks have their own progress told beside the bar.
_TOLD = 2

#: Nobody reads faster, in seconds.
_EVERY_S = 0.1


class Bar:
    """Shows how many tasks are done, running, failed and waiting, and for how long still."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._next = 0.0

    def open(self) -> None:
        """Show it, where a person looks on."""
        if not sys.stderr.isatty() or os.environ.get("TERM", "dumb") == "dumb":
            return
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[counts]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task = self._progress.add_task(self._name, total=None, counts="")
        self._progress.start()

    def show(self, board: Board) -> None:
        """Show how the tasks stand, unless that was just done."""
        if self._progress is None or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _EVERY_S
        self._update(board)

    def _update(self, board: Board) -> None:
        if self._progress is None or self._task is None:
            return
        counts = board.counts()
        self._progress.update(
            self._task,
            total=sum(counts.values()),
            completed=counts[JobState.DONE],
            counts=summary(counts[JobState.RUNNING], counts[JobState.ERROR], waiting(board))
            + _details(board),
        )

    def close(self, board: Board) -> None:
        """Leave the last state on the terminal."""
        self._update(board)
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


def waiting(board: Board) -> int:
    """Return how many tasks have not begun."""
    counts = board.counts()
    return counts[JobState.WAITING] + counts[JobState.UNSCHEDULED]


def summary(running: int, failed: int, waits: int) -> str:
    """Return the numbers beside the bar: ``2 running, 1 failed, 85 waiting``."""
    parts = [(running, "running"), (failed, "failed"), (waits, "waiting")]
    return ", ".join(f"{number} {word}" for number, word in parts if number)


def _details(board: Board) -> str:
    running = [job for job in board.jobs if job.state is JobState.RUNNING]
    told = [(job.name, reporting.read(job.path)) for job in running[:_TOLD]]
    return "".join(f"; {name} {one[0]:.0%} {one[1]}".rstrip() for name, one in told if one)
