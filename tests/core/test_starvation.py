"""Every job starts, for any stream of arrivals that order behind it.

The adversary submits without end, ends jobs when it likes (but each within LIFE
turns), lets them overrun their limits, and stops the broker.  A turn is a second.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hsched.core.effects import StartJob
from hsched.core.events import Ended, Restored, RestoredJob, Started, Submitted, TimePassed
from hsched.core.job import Job
from hsched.core.model import JobId, NewJob, Request, State, job_id
from hsched.core.policy import Policy
from hsched.core.scheduler import Scheduler
from tests.core.kit import OK, numbered

LIFE = 8
LIMITS = (1.0, 2.0, 4.0, 6.0)


def remembered(job: Job, now: float) -> RestoredJob:
    """Return ``job`` as a store would."""
    given = NewJob(job.id, job.request, job.priority, grace_s=0.0, time_limit_s=job.time_limit_s)
    ran = 0.0 if job.started is None else now - job.started
    rest = (job.allocation, job.attempt, job.passed, ran, job.suspended, job.verdict)
    return RestoredJob(given, job.state, *rest)


class Adversary:
    """Does what it can so that the job it hates does not start."""

    def __init__(self, random: Random, capacity: tuple[int, ...], overtake: int) -> None:
        self.random, self.capacity, self.overtake = random, capacity, overtake
        self.has_limits = random.random() < 0.5
        self.sched = Scheduler(numbered(*capacity), Policy.BACKFILL, overtake)
        self.now, self.number = 0.0, 0
        self.dies: dict[JobId, float] = {}
        self.starts: list[JobId] = []
        #: Whether a job asked for anything; those that did not overtake nobody.
        self.asked: dict[JobId, bool] = {}

    def amounts(self) -> tuple[int, ...]:
        return tuple(self.random.randint(0, most) for most in self.capacity)

    def request(self, amounts: tuple[int, ...]) -> Request:
        return Request(amounts)

    def submit(
        self, amounts: tuple[int, ...], priority: int, request: Request | None = None
    ) -> JobId:
        self.number += 1
        self.asked[job_id(self.number)] = any(amounts)
        limit = self.random.choice([None, *LIMITS]) if self.has_limits else None
        fields: dict[str, Any] = {"priority": priority, "time_limit_s": limit, "grace_s": 0.0}
        asked = request or self.request(amounts)
        self.handle(Submitted((NewJob(job_id(self.number), asked, **fields),)))
        return job_id(self.number)

    def handle(self, event: Submitted | Ended | TimePassed | Restored) -> None:
        for effect in self.sched.handle(event, self.now):
            if isinstance(effect, StartJob):
                self.starts.append(effect.job_id)
                self.dies[effect.job_id] = self.now + self.random.randint(0, LIFE)
                self.sched.handle(Started(effect.job_id), self.now)

    def turn(self) -> None:
        """Let a second pass, and what the adversary wants to happen in it."""
        self.now += 1
        for _ in range(self.random.randint(0, 4)):
            # Narrow jobs are the best: they always find a gap.
            narrow = tuple(min(1, amount) for amount in self.amounts())
            self.submit(self.random.choice([narrow, self.amounts()]), 0)
        for identity in [one for one, when in self.dies.items() if when <= self.now]:
            del self.dies[identity]
            self.handle(Ended(identity, OK))
        self.handle(TimePassed())

    def restart(self) -> None:
        jobs = tuple(remembered(job, self.now) for job in self.sched.live())
        self.sched = Scheduler(numbered(*self.capacity), Policy.BACKFILL, self.overtake)
        self.handle(Restored(jobs))


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from([(4,), (3, 2)]), st.integers(0, 3))
def test_every_job_starts(random: Random, capacity: tuple[int, ...], overtake: int) -> None:
    world = Adversary(random, capacity, overtake)
    for _ in range(random.randint(1, 6)):
        world.submit(world.amounts(), random.randint(1, 2))
    ahead = world.number
    hated = world.submit(capacity, 1)
    restarts = {random.randint(1, 30) for _ in range(random.randint(0, 2))}
    # Each job ahead can be the head, and so can the hated one.  A head starts no later
    # than a promise, and then so many lives as can overtake it, and one more; a restart
    # makes a new promise.
    patience = (ahead + 1 + len(restarts)) * (LIFE + 2) * (overtake + 3)
    turn = 0
    while hated not in world.starts:
        turn += 1
        assert turn <= patience, "it starves"
        world.turn()
        if turn in restarts:
            world.restart()
        if hated not in world.starts:
            assert world.sched.job(hated).passed <= overtake
    world.sched.check()


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 4), st.integers(1, 5))
def test_without_limits_exactly_so_many_start_past_the_head(
    random: Random, overtake: int, restart_at: int
) -> None:
    world = Adversary(random, (4,), overtake)
    world.has_limits = False
    world.submit((2,), 0)
    world.dies[world.starts[0]] = 1000.0
    hated = world.submit((4,), 0)
    world.dies[world.starts[0]] = 1000.0
    for turn in range(60):
        world.submit((1,), 0)
        world.turn()
        if turn == restart_at:
            world.restart()
    past = [identity for identity in world.starts if identity > hated and world.asked[identity]]
    assert hated not in world.starts
    assert len(past) == overtake
    assert world.sched.job(hated).state is State.PENDING
    assert world.sched.job(hated).passed == overtake
