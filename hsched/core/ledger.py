"""All that the scheduler knows, and the few moves by which it changes.

A move keeps every index in step with the jobs and notes its effects; it does not
ask whether it is allowed: who calls it has checked the whole event before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from hsched.core.arrays import Arrays
from hsched.core.deadlines import Deadlines, Due
from hsched.core.dependencies import Dependencies, Settled
from hsched.core.effects import ChangeJob, Effect, EndJob, SignalJob, StartJob
from hsched.core.inventory import Inventory
from hsched.core.job import Job
from hsched.core.model import (
    Allocation,
    JobId,
    Outcome,
    OutcomeKind,
    Resource,
    Sharing,
    State,
    format_job_id,
    job_number,
)
from hsched.core.policy import Bounds, Chooser, Policy
from hsched.core.queue import Queue
from hsched.core.transitions import Step, next_state
from hsched.errors import NoSuchJob

TERM, KILL, CONT, STOP = 15, 9, 18, 19


class Ledger:
    """The state of a scheduler.  Change it through these methods only."""

    def __init__(
        self,
        resources: Iterable[Resource],
        policy: Policy,
        overtake: int,
        sharing: Sharing | None = None,
        near: Mapping[int, tuple[int, ...]] | None = None,
        elsewhere: bool = False,
    ) -> None:
        #: Whether another scheduler starts the jobs; see elsewhere.py.
        self.elsewhere = elsewhere
        #: The live jobs, in order of arrival.
        self.jobs: dict[JobId, Job] = {}
        self.arrays = Arrays()
        self.inventory = Inventory(resources, sharing, near, elsewhere)
        self.queue = Queue(self.jobs, self.arrays, sharing is not None)
        self.dependencies = Dependencies(self.jobs, self.arrays)
        self.deadlines = Deadlines(self.jobs)
        self.bounds = Bounds(self.jobs, self.inventory)
        self.chooser = Chooser(self.queue, self.inventory, self.bounds, policy, overtake)
        self.effects: list[Effect] = []
        #: The jobs that hold slots, in order of their start.
        self.holders: dict[JobId, Job] = {}
        #: Whether jobs are kept from starting (:class:`~hsched.core.events.StartsStopped`).
        self.is_stopped = False
        #: Whether something happened that may let a job start.
        self.is_stirred = False
        #: The moment of the last event: it never goes back.
        self.now = 0.0

    def find(self, job_ids: Iterable[JobId]) -> list[Job]:
        """Return live jobs in order of id, each once.

        Raises:
            NoSuchJob: one of them is not live.
        """
        return [self.get(job_id) for job_id in sorted(set(job_ids))]

    def get(self, job_id: JobId) -> Job:
        """Return a live job.

        Raises:
            NoSuchJob: it is not live.
        """
        job = self.jobs.get(job_id)
        if job is None:
            raise NoSuchJob(f"job {format_job_id(job_id)} is not live")
        return job

    def admit(self, job: Job) -> None:
        """Know a new job; the caller links its dependencies, then places it."""
        self.jobs[job.id] = job
        self.arrays.add(job)

    def place(self, job: Job) -> None:
        """Let a pending job into the queue, or take it out, as its fields say."""
        is_ready = not (job.held or job.unmet)
        if job.not_before is not None and job.not_before > self.now:
            is_ready = False
        if is_ready and job.queued is None:
            self.queue.add(job)
            self.is_stirred = True
        elif job.queued is not None and not is_ready:
            self.unqueue(job)

    def unqueue(self, job: Job) -> None:
        """Take a pending job out of the queue, if it is in there; others may now be first."""
        if job.queued is not None:
            self.queue.remove(job)
            self.is_stirred = True

    def start(self, job: Job, slots: Allocation | None = None) -> None:
        """Give a queued job its slots: the lowest, or those ``slots`` that it has already."""
        self.queue.remove(job)
        self.effects.append(StartJob(job.id, self._give(job, slots), job.attempt))

    def take(self, job: Job) -> None:
        """Note that a pending job may have been started elsewhere, whatever it waits for."""
        self.unqueue(job)
        self.dependencies.unlink(job)
        job.held, job.hold_reason = False, ""
        self._give(job)

    def retake(self, job: Job) -> None:
        """Note that ``job`` holds slots that the inventory has taken for it already."""
        since = self.now if job.started is None else job.started
        self.bounds.set(job, since + job.length_s)
        self.holders[job.id] = job

    def run(self, job: Job, ran_s: float = 0.0) -> None:
        """Note that a starting job runs, or that one that shall stop can now be told so.

        ``ran_s`` is for how many seconds it has been running by now.
        """
        is_first = not job.has_started
        job.state = next_state(job.id, job.state, Step.STARTED)
        job.started = self.now - ran_s
        self.change(job)
        if is_first:
            self._count_start(job)
        if job.state is State.STOPPING:
            self.terminate(job)
        else:
            self.deadlines.arm(job, Due.WARN, Due.LIMIT)

    def stop(self, job: Job, verdict: Outcome, step: Step) -> None:
        """Ask a job to end: TERM, and KILL after its grace.

        A starting job is told when it has started: there is nobody to be told yet.
        """
        job.state = next_state(job.id, job.state, step)
        job.verdict = verdict
        self.change(job)
        if job.started is not None:
            self.terminate(job)

    def terminate(self, job: Job) -> None:
        """Send TERM, and arm KILL; without a grace send KILL."""
        if job.grace_s <= 0:
            self.kill(job)
            return
        self.signal(job, TERM)
        if job.suspended:
            # A stopped process does not see TERM until it is continued.
            job.suspended = False
            self.signal(job, CONT)
        self.grant(job, self.now + job.grace_s)

    def grant(self, job: Job, until: float) -> None:
        """Let a stopping job live until ``until``, but not longer than it could before."""
        if job.kill_at is None or until < job.kill_at:
            job.kill_at = until
            self.bounds.set(job, min(job.bound, until))
            self.is_stirred = True
            self.deadlines.arm(job, Due.KILL)

    def kill(self, job: Job) -> None:
        """Send KILL, which the caller has not done before; from now on the job is late."""
        job.killed = True
        self.bounds.set(job, min(job.bound, self.now))
        self.signal(job, KILL)
        self.deadlines.arm(job, Due.OVERRUN)

    def signal(self, job: Job, signal: int) -> None:
        """Wish that the job's processes get ``signal``."""
        self.effects.append(SignalJob(job.id, signal))

    def change(self, job: Job) -> None:
        """Wish that the job is stored and announced as it is now."""
        self.effects.append(ChangeJob(job.id))

    def put_back(self, job: Job) -> None:
        """Let a job whose start did not come about wait in the queue again."""
        job.state = next_state(job.id, job.state, Step.NOT_STARTED)
        self._take_back(job)
        job.forget_attempt()
        self.change(job)
        self.place(job)

    def retry(self, job: Job) -> None:
        """Take back the slots of a job that failed, and let it wait for another try."""
        job.state = next_state(job.id, job.state, Step.RETRY)
        is_first = not job.has_started
        self._take_back(job)
        job.forget_attempt()
        job.attempt += 1
        self.change(job)
        if is_first:
            self._count_start(job)
        self.place(job)

    def end(self, endings: Iterable[tuple[Job, Outcome, Step]]) -> None:
        """End jobs, then those that can never run because of it, and so on.

        What is already given is first in line, so a job ends as the caller said.
        """
        line = deque(endings)
        while line:
            job, outcome, step = line.popleft()
            if job.state is State.DONE:
                continue  # Two upstreams have ended it, or the caller and an upstream.
            settled = self._forget(job, outcome, step)
            self._place_all(settled.freed)
            for lost, reason in settled.lost:
                line.append((lost, given_up(reason), Step.GIVE_UP))

    def dispatch(self) -> None:
        """Start what may start, if anything has changed that could allow it."""
        if self.is_stirred and not self.is_stopped and not self.elsewhere:
            self.is_stirred = False
            overtaken = self.chooser.run(self.now, self.start)
            if overtaken is not None:
                self.change(overtaken)

    def check(self) -> None:
        """Assert that every index agrees with the jobs, and every slot with its holder."""
        self.inventory.check()
        self.queue.check()
        self.dependencies.check()
        self.deadlines.check()
        self.bounds.check()
        self.arrays.check(self.jobs)
        held = [0] * len(self.inventory.pools)
        for job in self.jobs.values():
            assert job.state is not State.DONE, "a done job is live"
            assert job.is_holding == (job.allocation is not None), "slots without need"
            is_ready = job.state is State.PENDING and not job.held and not job.unmet
            is_queued = job.queued is not None
            assert is_queued == is_ready or (is_ready and job.not_before), f"{job} is misplaced"
            if job.allocation is not None:
                held = [h + n for h, n in zip(held, job.allocation.amounts, strict=True)]
        assert held == [pool.held for pool in self.inventory.pools], "slots without a job"
        holders = {job.id: job for job in self.jobs.values() if job.is_holding}
        assert self.holders == holders, "holders are out of step"

    def _give(self, job: Job, slots: Allocation | None = None) -> Allocation:
        job.state = next_state(job.id, job.state, Step.START)
        request = job.request
        if slots is None:
            slots = self.inventory.acquire(request.amounts, request.devices, request.memory)
        else:
            self.inventory.retake((slots,))
        job.allocation = slots
        self.bounds.set(job, self.now + job.length_s)
        self.holders[job.id] = job
        self._count_holder(job, 1)
        return slots

    def _forget(self, job: Job, outcome: Outcome, step: Step) -> Settled:
        job.state = next_state(job.id, job.state, step)
        allocation = job.allocation
        self.unqueue(job)
        self.dependencies.unlink(job)
        del self.jobs[job.id]
        array = self.arrays.remove(job)
        if allocation is not None:
            self._take_back(job)
        self.effects.append(EndJob(job.id, outcome, allocation, job.attempt))
        return self.dependencies.ended(job, outcome, array)

    def _take_back(self, job: Job) -> None:
        assert job.allocation is not None, f"job {job.id} holds nothing"
        self.bounds.forget(job)
        self.inventory.release(job.allocation)
        del self.holders[job.id]
        self._count_holder(job, -1)
        self.is_stirred = True

    def _count_holder(self, job: Job, change: int) -> None:
        array = self.arrays.get(job.array)
        if array is not None:
            array.holding += change
            self.queue.recap(job_number(job.id))

    def _count_start(self, job: Job) -> None:
        array = self.arrays.get(job.array)
        if array is not None:
            array.unstarted -= 1
        self._place_all(self.dependencies.started(job).freed)

    def _place_all(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            self.place(job)


def given_up(reason: str) -> Outcome:
    """Return how a job ends that waits for what can never be."""
    return Outcome(OutcomeKind.DEPENDENCY_FAILED, reason=reason)
