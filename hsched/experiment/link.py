"""The driver's thread that speaks with the scheduler: it submits tasks, and hears of them.

Tasks are submitted as they come, as many as there are in one message.  Which task is which
job, and what comes of it, is known here alone; the scheduler needs nobody to go on.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from hsched.client import Client
from hsched.client import Job as Handle
from hsched.client.subscription import change_of
from hsched.errors import HschedError, NotRunning
from hsched.experiment.board import Board, blocked_by
from hsched.experiment.endings import Failure
from hsched.experiment.jobs import Job, JobState
from hsched.experiment.specs import spec_of
from hsched.wire.subscribe import Change

if TYPE_CHECKING:
    from hsched.client.subscription import Subscription
    from hsched.wire.submit import JobSpec

#: So many tasks go into one message; its size is bounded.
_BATCH = 500

REJECTED = "rejected"


class Link:
    """Speaks with one scheduler; ``ended`` is called with each task whose job is done.

    ``ended`` returns True where the task is to run again.
    """

    def __init__(
        self, scheduler: str, board: Board, ended: Callable[[Job, Change, Client], bool]
    ) -> None:
        self._scheduler = scheduler
        self._board = board
        self._ended = ended
        self._queue: deque[Job] = deque()
        self._live: dict[str, Job] = {}
        self._closing = False
        self._lost: Failure | None = None  # why nothing more can be submitted
        self._sleeps = False  # said before the queue is looked at for the last time
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._thread = threading.Thread(target=self._run, name="hsched-link", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Have a task submitted, after those that were given before."""
        with self._board.lock:
            if self._lost is not None:
                self._board.change(job, JobState.ERROR, self._lost)
                return
            self._queue.append(job)
        if self._sleeps:
            os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        """Submit what is left, and end; jobs go on."""
        self._closing = True
        os.eventfd_write(self._wake, 1)
        self._thread.join()
        os.close(self._wake)

    def _run(self) -> None:
        try:
            with Client(self._scheduler) as client, client.subscribe() as changes:
                changes.page()  # from here on nothing is missed
                while not (self._closing and not self._queue):
                    self._turn(client, changes)
        except HschedError as error:
            self._give_up(error)
        except BaseException as error:
            self._give_up(HschedError(f"{type(error).__name__}: {error}"))
            raise

    def _turn(self, client: Client, changes: Subscription) -> None:
        self._submit_queue(client)
        if self._closing:
            return
        self._sleeps = True
        page = () if self._queue else changes.page(self._wake) or ()
        self._sleeps = False
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        if not changes.is_complete:
            page = (*page, *self._look_again(client))
            changes.is_complete = True
        for change in page:
            self._take(client, change)

    def _submit_queue(self, client: Client) -> None:
        while self._queue:
            batch: dict[str, Job] = {}
            later: list[Job] = []
            while self._queue and len(batch) < _BATCH:
                job = self._queue.popleft()
                if (failure := blocked_by(job)) is not None:
                    self._board.change(job, JobState.ERROR, failure)
                elif all(_can_be_named(one, batch) for one in job.dependencies):
                    batch[job.relpath] = job
                else:  # what it waits for is about to run again, and stands behind it
                    later.append(job)
            self._submit(client, list(batch.values()))
            self._queue.extend(later)

    def _submit(self, client: Client, batch: Sequence[Job]) -> None:
        if not batch:
            return
        try:
            handles = client.submit_batch(_specs(batch))
        except NotRunning:
            raise
        except HschedError as error:
            if len(batch) == 1:
                self._board.change(batch[0], JobState.ERROR, Failure(REJECTED, message=str(error)))
                return
            for job in batch:  # one of them is at fault; the others are none the worse
                self._submit(client, [job])
            return
        self._note(batch, handles)

    def _note(self, batch: Iterable[Job], handles: Iterable[Handle]) -> None:
        for job, handle in zip(batch, handles, strict=True):
            job.id = handle.id
            self._live[handle.id] = job
            self._board.change(job, JobState.WAITING)

    def _look_again(self, client: Client) -> list[Change]:
        """Return how our jobs stand, as changes."""
        ids = list(self._live)
        found = []
        for begin in range(0, len(ids), _BATCH):
            found += list(client.jobs(*ids[begin : begin + _BATCH], scope="all"))
        return [change_of(view) for view in found]

    def _take(self, client: Client, change: Change) -> None:
        job = self._live.get(change.id)
        if job is None:
            return
        if change.state == "done":
            del self._live[change.id]
            job.id = None
            if self._ended(job, change, client):
                self._board.change(job, JobState.WAITING)
                self._queue.append(job)
        elif change.state == "running" and job.state is not JobState.RUNNING:
            self._board.change(job, JobState.RUNNING)
        elif change.state == "pending" and job.state is not JobState.WAITING:
            self._board.change(job, JobState.WAITING)

    def _give_up(self, error: HschedError) -> None:
        """Say of all that is not finished that nothing more is known of it."""
        with self._board.lock:
            self._lost = Failure(REJECTED, message=str(error))
            for job in self._board.jobs:
                if not job.state.finished and job.is_done():
                    self._board.change(job, JobState.DONE)
                elif not job.state.finished:
                    self._board.change(job, JobState.ERROR, self._lost)


def _can_be_named(upstream: Job, batch: Mapping[str, Job]) -> bool:
    return upstream.state.finished or upstream.id is not None or upstream.relpath in batch


def _specs(batch: Sequence[Job]) -> list[JobSpec]:
    """Return what to submit; who waits for one of the same batch names it by its place."""
    places = {job.relpath: str(place) for place, job in enumerate(batch)}
    return [spec_of(job, label, places) for job, label in zip(batch, places.values(), strict=True)]
