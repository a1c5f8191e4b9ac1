"""core: what a submission and a dispatch cost the pure core alone; see simulate.py."""

from __future__ import annotations

from tests.bench import simulate
from tests.bench.figures import number
from tests.bench.report import Headline, Report, Table
from tests.bench.rounds import Settings, say

CHART = "dispatch-cost-core.svg"

#: Ten million jobs take that much memory (bytes), and about ten minutes.
_ENOUGH = 8 << 30


def run(settings: Settings) -> Report:
    """Measure the core alone, in microseconds of CPU; once, whatever the rounds."""
    jobs = settings.of(10_000_000 if _available() >= _ENOUGH else 1_000_000, 10_000)
    rows = []
    for row in simulate.measured(jobs):
        say(f"  {row[0]:,} pending, {row[1]:,} requests: {row[3]:.1f} us a dispatch")
        rows.append(row)
    header = ("pending", "requests", "submission us", "dispatch us", "bytes a job")
    note = "CPU time of the state machine: 64 full cores, jobs of 1 to 16, backfill; no I/O at all."
    cells = tuple(
        (f"{row[0]:,}", f"{row[1]:,}", number(row[2]), number(row[3]), _size(row)) for row in rows
    )
    report = Report("The core alone", [Table("Core", header, cells, note)])
    report.charts[CHART] = simulate.picture(rows)
    deepest = max(row[0] for row in rows)
    text = ", ".join(f"{row[1]:,} requests {number(row[3])}" for row in rows if row[0] == deepest)
    what = f"a dispatch in the core at {deepest:,} pending, us"
    report.headlines.append(Headline(what, text, "-"))
    return report


def _size(row: simulate.Row) -> str:
    # Of few jobs, what a page holds besides them would be counted with them.
    return number(row[4]) if row[0] >= 10_000 else "-"


def _available() -> int:
    with open("/proc/meminfo", encoding="ascii") as file:
        for line in file:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return 0
