"""The rules of who starts, once more and as plainly as can be: it walks all jobs, each time."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from hsched.core.deadlines import SLACK_S
from hsched.core.policy import Policy

Vector = tuple[int, ...]


@dataclass
class Item:
    """A job of the reference."""

    number: int
    needs: Vector
    priority: int = 0
    length_s: float = inf
    held: bool = False
    passed: int = 0
    bound: float = inf


class Reference:
    """Decides like the scheduler should, in time linear in the number of jobs and worse."""

    def __init__(self, capacity: Vector, policy: Policy, overtake: int) -> None:
        self.capacity, self.policy, self.overtake = capacity, policy, overtake
        self.pending: dict[int, Item] = {}
        self.holding: dict[int, Item] = {}
        self.promise: tuple[int, float] | None = None
        self.reservation: tuple[float, list[int]] | None = None

    def free(self) -> Vector:
        held = [
            sum(job.needs[r] for job in self.holding.values()) for r in range(len(self.capacity))
        ]
        return tuple(max(0, u - h) for u, h in zip(self.capacity, held, strict=True))

    def dispatch(self, now: float) -> list[int]:
        """Start what may start; return the numbers."""
        starts: list[int] = []
        head: Item | None = None
        behind = 0
        ready = [job for job in self.pending.values() if not job.held]
        for job in sorted(ready, key=lambda job: (-job.priority, job.number)):
            if not leq(job.needs, self.free()):
                head = head or job
                continue
            if head is not None and self.policy is Policy.BACKFILL and not behind:
                # The head is promised something when there is somebody to hold back.
                self.reservation = self.reserve(head, now)
            behind += head is not None
            if head is not None and not self.may_pass(job, head, now):
                continue
            starts.append(job.number)
            self.holding[job.number] = self.pending.pop(job.number)
            job.bound = now + job.length_s
        return starts

    def may_pass(self, job: Item, head: Item, now: float) -> bool:
        """Whether ``job``, which fits, may start behind ``head``; counts it if it overtakes."""
        free, reservation = self.free(), self.reservation
        if self.policy is not Policy.BACKFILL:
            return self.policy is Policy.FIRST_FIT or not any(job.needs)
        rest = [max(0, f - n) if n else f for f, n in zip(free, head.needs, strict=True)]
        is_harmless = leq(job.needs, rest)
        is_promised = (
            reservation is not None
            and self.promise is not None
            and reservation[0] <= self.promise[1]
        )
        if not is_promised and head.passed >= self.overtake:
            return is_harmless
        if reservation is not None and not job.length_s <= reservation[0] - now:
            if not leq(job.needs, reservation[1]):
                return False
            reservation[1][:] = [e - n for e, n in zip(reservation[1], job.needs, strict=True)]
        head.passed += not is_promised and not is_harmless
        return True

    def reserve(self, head: Item, now: float) -> tuple[float, list[int]] | None:
        """Return when the head fits at the latest, and what it leaves over then."""
        for moment in sorted({job.bound for job in self.holding.values()}):
            if moment == inf or moment + SLACK_S <= now:
                continue
            there = [j for j in self.holding.values() if not now - SLACK_S < j.bound <= moment]
            held = [sum(job.needs[r] for job in there) for r in range(len(self.capacity))]
            free = [max(0, u - h) for u, h in zip(self.capacity, held, strict=True)]
            if leq(head.needs, free):
                if self.promise is None or self.promise[0] != head.number:
                    self.promise = (head.number, moment)
                return moment, [f - n for f, n in zip(free, head.needs, strict=True)]
        return None


def leq(needs: Vector, limit: Vector | list[int]) -> bool:
    return all(need <= most for need, most in zip(needs, limit, strict=True))
