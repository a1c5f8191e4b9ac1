"""What one dispatch costs the core alone, by the number of pending jobs.

``python -m tests.bench.simulate [--jobs N] [--svg FILE]`` drives the core with synthetic
events: no process, store or socket.  It counts CPU time, which other programs disturb less.
A machine of 64 cores is full and N jobs are pending, of 1, 500 or 10,000 distinct requests,
all with a time limit, in backfill.  Then jobs end, oldest first; each is replaced by a new
one, so N stays as it is.  Each case runs in a process of its own, which takes about
0.5 KiB a job.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice

import click

from hsched.core.effects import StartJob
from hsched.core.events import Ended, Started, Submitted
from hsched.core.model import JobId, NewJob, Outcome, OutcomeKind, Request, job_id
from hsched.core.scheduler import Scheduler
from hsched.core.spec import parse_spec
from tests.bench.charts import chart

SPEC = "cores=64,mem=1024G"
KINDS = (1, 500, 10_000)
ROUNDS = 2000
LIMIT_S = 3600.0

_BATCH = 1000
_DONE = Outcome(OutcomeKind.SUCCEEDED, exit_status=0)

#: Pending jobs, distinct requests, microseconds a submission and a dispatch, bytes a job.
Row = tuple[int, int, float, float, float]


def new_jobs(kinds: int) -> Iterator[NewJob]:
    """Yield jobs for ever: 1 to 16 cores, and as much memory as makes requests distinct."""
    number = 0
    while True:
        number += 1
        kind = number * 7919 % kinds  # neighbours in the queue are unlike
        amounts = (1 + kind % 16, 1 + kind << 20)
        yield NewJob(job_id(number), Request(amounts), time_limit_s=LIMIT_S)


class Bench:
    """A scheduler with pending jobs, and the time that it has taken."""

    def __init__(self, kinds: int) -> None:
        self._scheduler = Scheduler(parse_spec(SPEC))
        self._source = new_jobs(kinds)
        self._running: deque[JobId] = deque()
        self._now = 0.0
        self.dispatches = 0

    def fill(self, pending: int, batch: int = 1) -> int:
        """Submit jobs, ``batch`` in an event, until so many are pending; return how many."""
        submitted = 0
        while (missing := pending - self._scheduler.pending_count) > 0:
            jobs = tuple(islice(self._source, min(missing, batch)))
            self._tell(Submitted(jobs))
            submitted += len(jobs)
        return submitted

    def end_oldest(self) -> None:
        """End the job that has been running longest."""
        self._now += 1.0
        self._tell(Ended(self._running.popleft(), _DONE))

    def _tell(self, event: Submitted | Ended) -> None:
        for effect in self._scheduler.handle(event, self._now):
            if isinstance(effect, StartJob):
                self.dispatches += 1
                self._running.append(effect.job_id)
                self._scheduler.handle(Started(effect.job_id), self._now)


def measure(case: tuple[int, int]) -> Row:
    """Return the row of one case: pending jobs and distinct requests."""
    pending, kinds = case
    bench = Bench(kinds)
    before = _resident_bytes()
    bench.fill(pending, _BATCH)
    size = (_resident_bytes() - before) / pending
    dispatching = submitting = 0.0
    dispatches = submissions = 0
    while dispatches < ROUNDS:
        before, begin = bench.dispatches, time.process_time()
        bench.end_oldest()
        middle = time.process_time()
        dispatches += bench.dispatches - before
        submissions += bench.fill(pending)
        dispatching += middle - begin
        submitting += time.process_time() - middle
    submit_us, dispatch_us = submitting / submissions * 1e6, dispatching / dispatches * 1e6
    return pending, kinds, submit_us, dispatch_us, size


def _resident_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def cases(jobs: int) -> list[tuple[int, int]]:
    """Return the cases with up to ``jobs`` pending jobs."""
    sizes = [10**power for power in range(1, 8) if 10**power <= jobs]
    return [(pending, kinds) for kinds in KINDS for pending in sizes]


def measured(jobs: int) -> Iterator[Row]:
    """Yield the row of each case, each measured in a process of its own."""
    context = multiprocessing.get_context("spawn")
    for case in cases(jobs):
        with context.Pool(1) as pool:
            yield pool.apply(measure, (case,))


def picture(rows: Sequence[Row]) -> str:
    """Return an SVG: microseconds a dispatch against pending jobs, one line a kind."""
    lines: dict[str, list[tuple[int, float]]] = {}
    for row in rows:
        label = f"{row[1]:,} request{'s' if row[1] > 1 else ''}"
        lines.setdefault(label, []).append((row[0], row[3]))
    return chart("A dispatch in the core alone (µs of CPU), by pending jobs", lines)


@click.command()
@click.option("--jobs", default=1_000_000, show_default=True, help="The most pending jobs.")
@click.option("--svg", type=click.Path(dir_okay=False, writable=True), help="Write a figure.")
def main(jobs: int, svg: str | None) -> None:
    """Print what a submission and a dispatch cost, by pending jobs and distinct requests."""
    print(
        f"{'pending':>10} {'requests':>9} {'submit us':>10} {'dispatch us':>12} {'bytes/job':>10}"
    )
    rows: list[Row] = []
    for row in measured(jobs):
        rows.append(row)
        # Below this, what a page holds besides the jobs would be counted with them.
        size = f"{row[4]:10.0f}" if row[0] >= 10_000 else f"{'-':>10}"
        print(f"{row[0]:10,} {row[1]:9,} {row[2]:10.1f} {row[3]:12.1f} {size}", flush=True)
    if svg is not None:
        with open(svg, "w", encoding="utf-8") as file:
            file.write(picture(rows))


if __name__ == "__main__":
    main()
