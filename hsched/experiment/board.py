"""All tasks of one experiment and how they stand; shared by the threads of a driver."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

from hsched.experiment.endings import DEPENDENCY, Failure
from hsched.experiment.jobs import Job, JobState


class Board:
    """Tasks by folder, in the order of their submission.

    ``lock`` is held while anything here or in a job's state changes.  ``on_change`` is
    called, with the lock held, after each change, and must not block.
    """

    def __init__(self, on_change: Callable[[Job], None] = lambda _: None) -> None:
        self.lock = threading.RLock()
        self._changed = threading.Condition(self.lock)
        self._jobs: dict[str, Job] = {}
        self._counts: Counter[JobState] = Counter()
        self._unfinished = 0
        self._busy = 0
        self._on_change = on_change

    @property
    def jobs(self) -> list[Job]:
        """All tasks, in the order of their submission."""
        with self.lock:
            return list(self._jobs.values())

    @property
    def failed(self) -> list[Job]:
        """The tasks that failed, those that never ran because of them included."""
        return [job for job in self.jobs if job.state is JobState.ERROR]

    def find(self, relpath: str) -> Job | None:
        """Return the task in that folder, None where the experiment has none there."""
        return self._jobs.get(relpath)

    def add(self, job: Job) -> None:
        """Take in a new task."""
        with self.lock:
            self._jobs[job.relpath] = job
            self._counts[job.state] += 1
            self._unfinished += not job.state.finished

    def counts(self) -> Counter[JobState]:
        """Return how many tasks are in which state."""
        with self.lock:
            return +self._counts

    def change(self, job: Job, state: JobState, failure: Failure | None = None) -> None:
        """Set the state of a task; a failure comes with ``ERROR``."""
        with self.lock:
            self._unfinished += job.state.finished - state.finished
            self._counts[job.state] -= 1
            self._counts[state] += 1
            job.state, job.failure = state, failure
            self._on_change(job)
            self._changed.notify_all()

    def begin(self) -> None:
        """Count one thing more that must be over before the experiment is."""
        with self.lock:
            self._busy += 1

    def finish(self) -> None:
        """Count one thing less."""
        with self.lock:
            self._busy -= 1
            self._changed.notify_all()

    def wait(self) -> None:
        """Wait until every task is finished, and every callback has returned."""
        with self._changed:
            self._changed.wait_for(lambda: not self._unfinished and not self._busy)

    def wait_for(self, job: Job) -> JobState:
        """Wait until one task is finished, and return its state."""
        with self._changed:
            self._changed.wait_for(lambda: job.state.finished)
            return job.state


def blocked_by(job: Job) -> Failure | None:
    """Return why a task can never run, None where it still may."""
    for upstream in job.dependencies:
        if upstream.state is JobState.ERROR:
            return Failure(DEPENDENCY, message=f"{upstream.relpath} failed")
    return None
