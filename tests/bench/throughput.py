"""throughput: many jobs that do nothing, on two slots: jobs a second."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from tests.bench import contenders, peers
from tests.bench.contenders import rate_of
from tests.bench.figures import Figures, number
from tests.bench.report import Headline, Report, Table
from tests.bench.rounds import Contender, Settings, in_turn
from tests.bench.world import World, world

TRUE = "/bin/true"


def run(settings: Settings) -> Report:
    """Measure jobs a second, submitted in a batch, singly, and draining a full queue."""
    many, full, few = settings.of(2000, 200), settings.of(900, 100), settings.of(200, 10)
    with world() as home:
        found = in_turn(_contenders(home, many, full, few), settings.rounds, more_is_better=True)
    names = {"batch": f"hsched, one batch of {many:,}", "full": f"hsched, draining {full}"}
    ours, draining = found[names["batch"]], found[names["full"]]
    rows = tuple(_row(name, figures, ours) for name, figures in found.items())
    note = (
        f"`{TRUE}` on two slots, {settings.rounds} rounds in turn, from the first submission to "
        "the last end told; draining begins with all jobs queued. Each program's record or exit "
        "status says that all jobs ran. task-spooler takes no more than about 1,000 at once."
    )
    header = ("", "median jobs/s", "worst jobs/s", "median / batch")
    report = Report("Throughput", [Table("Throughput", header, rows, note)])
    report.headlines = [
        Headline("jobs a second, one batch, 2 slots", number(ours.median), _others(found, False)),
        Headline("draining a full queue", number(draining.median), _others(found, True)),
    ]
    return report


def _contenders(home: World, many: int, full: int, few: int) -> dict[str, Contender]:
    found: dict[str, Contender] = {
        f"hsched, one batch of {many:,}": rate_of(
            lambda: contenders.hsched_batch(home, many, TRUE), many
        ),
        f"hsched, draining {full}": rate_of(
            lambda: contenders.hsched_draining(home, full, TRUE), full
        ),
        f"hsched, {few} commands": rate_of(lambda: contenders.hsched_singly(home, few, TRUE), few),
    }
    if peers.have("tsp"):
        found[f"task-spooler, {many:,} commands"] = rate_of(
            lambda: contenders.tsp(home, many, 2, TRUE), many
        )
        found[f"task-spooler, draining {full}"] = rate_of(
            lambda: contenders.tsp_draining(home, full, TRUE), full
        )
    if peers.have("parallel"):
        found["parallel -j2"] = rate_of(lambda: contenders.parallel(home, many, 2, TRUE), many)
    if peers.have("xargs"):
        found["xargs -P2"] = rate_of(lambda: contenders.xargs(home, many, 2, TRUE), many)
    for slots in (1, 2):
        loop = partial(contenders.bare, home, many, slots, TRUE)
        found[f"posix_spawn, {slots} at a time"] = rate_of(loop, many)
    return found


def _others(found: Mapping[str, Figures], draining: bool) -> str:
    """Return what the other programs came to, in words."""
    return "; ".join(
        f"{name} {number(figures.median)}"
        for name, figures in found.items()
        if not name.startswith("hsched") and ("draining" in name) == draining
    )


def _row(name: str, figures: Figures, ours: Figures) -> tuple[str, ...]:
    return (name, number(figures.median), number(figures.worst), number(figures.times(ours)))
