"""EASY backfill in the words of its paper, for one resource: slow, plain, and not ours.

D. Lifka, The ANL/IBM SP scheduling system, 1995.  Written without a look at the core, so
that both being wrong in the same way is unlikely.
"""

from __future__ import annotations

from collections.abc import Sequence

from hsched.simulate import TraceJob


def easy(jobs: Sequence[TraceJob], processors: int) -> list[float]:
    """Return when each job starts; no job may run longer than its estimate."""
    starts: dict[int, float] = {}
    now = 0.0
    while len(starts) < len(jobs):
        queue = [i for i, job in enumerate(jobs) if job.submit_s <= now and i not in starts]
        free = processors - sum(jobs[i].amounts[0] for i in _running(jobs, starts, now))
        while queue and jobs[queue[0]].amounts[0] <= free:
            starts[queue[0]] = now
            free -= jobs[queue.pop(0)].amounts[0]
        if queue:
            _backfill(jobs, starts, queue, (now, free))
        later = [job.submit_s for i, job in enumerate(jobs) if i not in starts]
        later += [start + jobs[i].run_s for i, start in starts.items()]
        now = min((moment for moment in later if moment > now), default=now)
    return [starts[i] for i in range(len(jobs))]


def _backfill(
    jobs: Sequence[TraceJob],
    starts: dict[int, float],
    queue: Sequence[int],
    moment: tuple[float, int],
) -> None:
    now, free = moment
    running = _running(jobs, starts, now)
    ends = sorted((starts[i] + jobs[i].estimate_s, jobs[i].amounts[0]) for i in running)
    need = jobs[queue[0]].amounts[0]
    shadow = next(end for end, _ in ends if free + sum(n for e, n in ends if e <= end) >= need)
    extra = free + sum(n for end, n in ends if end <= shadow) - need
    for i in queue[1:]:
        amount = jobs[i].amounts[0]
        in_time = now + jobs[i].estimate_s <= shadow
        if amount <= free and (in_time or amount <= extra):
            starts[i] = now
            free -= amount
            extra -= 0 if in_time else amount


def _running(jobs: Sequence[TraceJob], starts: dict[int, float], now: float) -> list[int]:
    return [i for i, start in starts.items() if start + jobs[i].run_s > now]
