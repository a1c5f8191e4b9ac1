"""dispatch: one slot, jobs of 20 ms; how long is the slot empty between two of them?"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from tests.bench import contenders, peers
from tests.bench.figures import Figures, number
from tests.bench.report import Headline, Report, Table
from tests.bench.rounds import Contender, Settings, in_turn
from tests.bench.world import World, world

SLEEP_MS = "20"


def run(settings: Settings) -> Report:
    """Measure the gap between the end of a job and the start of the next."""
    count = settings.of(200, 30)
    with world() as home:
        found = in_turn(_contenders(home, count), settings.rounds)
    ours = found["hsched"]
    rows = [_row(name, figures, ours) for name, figures in found.items()]
    header = ("", "median ms", "p95 ms", "worst ms", "median / hsched")
    note = (
        f"One slot, {count} jobs of {SLEEP_MS} ms that note when their program began and ended, "
        f"{settings.rounds} rounds in turn: the time between. It contains the start of the "
        "program itself; `posix_spawn` is a loop that starts and waits, the limit."
    )
    report = Report("Dispatch", [Table("Dispatch", header, tuple(rows), note)])
    others = [f"{n} {number(found[n].median)}" for n in found if n != "hsched"]
    what = "end of a job to the next one running, ms, median"
    report.headlines.append(Headline(what, number(ours.median), ", ".join(others)))
    return report


def _contenders(home: World, count: int) -> dict[str, Contender]:
    def gaps(run: Callable[[tuple[str, ...]], object]) -> Contender:
        return lambda: _gaps(home, count, run)

    found = {"hsched": gaps(lambda job: _hsched(home, count, job))}
    if peers.have("tsp"):
        found["task-spooler"] = gaps(lambda job: contenders.tsp(home, count, 1, *job))
    if peers.have("nq"):
        found["nq"] = gaps(lambda job: contenders.nq(home, count, *job))
    if peers.have("parallel"):
        found["parallel"] = gaps(lambda job: contenders.parallel(home, count, 1, *job))
    if peers.have("xargs"):
        # It appends a word to the command: the time to sleep.
        found["xargs"] = gaps(lambda job: _xargs(home, count, job))
    found["posix_spawn"] = gaps(lambda job: contenders.bare(home, count, 1, *job))
    return found


def _hsched(home: World, count: int, job: tuple[str, ...]) -> None:
    name = contenders.fresh_scheduler(home, "1")
    lines = home.file("lines")
    lines.write_text(f"{job[-1]}\n" * count)
    ids = home.ok("hsubmit", "--name", name, "1", "--each", str(lines), *job[:-1], "{}")
    home.ok("hwait", "--name", name, ids.split()[-1])


def _xargs(home: World, count: int, job: tuple[str, ...]) -> None:
    words = ("xargs", "-P", "1", "-n", "1", *job[:-1])
    home.ok(*words, input=f"{job[-1]}\n" * count)


def _gaps(home: World, count: int, run: Callable[[tuple[str, ...]], object]) -> list[float]:
    """Return the gaps in milliseconds between ``count`` jobs, which must all have run."""
    file: Path = home.file("times")
    time.sleep(0.2)  # what the one before has left behind comes to rest
    run((home.stamp, str(file), SLEEP_MS))
    times = home.times_of(file)
    if len(times) != count:
        raise contenders.Miscounted(f"{count} jobs were given, and {len(times)} ran")
    return [(after[0] - before[1]) * 1000 for before, after in pairwise(times)]


def _row(name: str, figures: Figures, ours: Figures) -> tuple[str, ...]:
    parts = (figures.median, figures.percentile(95), figures.worst, figures.times(ours))
    return (name, *map(number, parts))
