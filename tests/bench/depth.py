"""depth: what a submission, a dispatch and a look cost as the queue grows.

The costs are those of round trips of one client: the start of a command would hide them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count, islice
from typing import TypeVar

from hsched.client import Client
from hsched.wire.submit import JobSpec
from tests.bench.charts import chart
from tests.bench.figures import Figures, number
from tests.bench.report import Headline, Report, Table
from tests.bench.rounds import Settings, say
from tests.bench.world import Gate, World, resident_bytes, submit, wait, world

T = TypeVar("T")

SPEC = "cores=1,mem=1024G"
CHART = "dispatch-cost.svg"

#: Pending jobs and how many different requests they make.
CASES = (
    (10, 10),
    *((pending, 1) for pending in (10, 1000, 10_000, 100_000)),
    *((pending, 500) for pending in (1000, 10_000, 100_000)),
    *((pending, 10_000) for pending in (10_000, 100_000)),
)

#: The pending jobs stand behind what is measured, and between the two who keeps the slot next.
_BEHIND, _NEXT_GATE = -2, -1

OPERATIONS = ("submit", "dispatch", "hjobs ID", "hstatus")


@dataclass(slots=True)
class Case:
    """One scheduler with its pending jobs, whose only slot is held."""

    pending: int
    kinds: int
    client: Client
    gate: Gate
    words: Callable[[], str]
    bytes_per_job: float
    fill_rate: float
    found: dict[str, list[float]] = field(default_factory=lambda: {o: [] for o in OPERATIONS})

    @property
    def label(self) -> str:
        """What tells the lines of the chart apart."""
        return f"{self.kinds:,} request{'s' if self.kinds > 1 else ''}"

    def figures(self, operation: str) -> Figures:
        """Return what an operation costs, in milliseconds."""
        return Figures(tuple(self.found[operation]))


def run(settings: Settings) -> Report:
    """Measure all operations on all depths, in turn."""
    times = settings.of(50, 5)
    with world() as home:
        shapes = [shape for shape in CASES if shape[0] <= settings.of(100_000, 1000)]
        cases = [_prepare(home, pending, kinds) for pending, kinds in shapes]
        try:
            for round_ in range(settings.rounds):
                for case in cases:
                    say(f"  round {round_ + 1} of {settings.rounds}: {case.pending:,} {case.label}")
                    _measure(home, case, times)
        finally:
            for case in cases:
                case.client.close()
    return _report(cases, times, settings.rounds)


def _prepare(home: World, pending: int, kinds: int) -> Case:
    say(f"  filling: {pending:,} pending, {kinds:,} requests")
    name = f"depth-{pending}-{kinds}"
    home.start(SPEC, name)
    numbers = count()

    def words() -> str:
        return f"1,{1 + next(numbers) * 7919 % kinds}M"

    client = Client(name)
    gate = home.gate()
    client.submit(JobSpec(slots="1", argv=gate.argv))
    before, begin = resident_bytes(home.broker_pid(name)), time.perf_counter()
    specs = (JobSpec(slots=words(), argv=("true",), priority=_BEHIND) for _ in count())
    submit(client, list(islice(specs, pending)))
    took = time.perf_counter() - begin
    size = (resident_bytes(home.broker_pid(name)) - before) / pending
    return Case(pending, kinds, client, gate, words, size, pending / took)


def _measure(home: World, case: Case, times: int) -> None:
    """Submit jobs, look at them, let them run one after the other; then it is as before."""
    client, found, ids = case.client, case.found, list[str]()
    for _ in range(times):
        spec = JobSpec(slots=case.words(), argv=("/bin/true",))
        took, job = _timed(client.submit, spec)
        found["submit"].append(took)
        ids.append(job.id)
    # The jobs of the filling have the numbers from 2 on; half of the looks are at these.
    deep = [str(2 + number * case.pending // times) for number in range(0, times, 2)]
    for one in (*ids[::2], *deep):
        found["hjobs ID"].append(_timed(_look_at, client, one)[0])
        found["hstatus"].append(_timed(client.status)[0])
    following = home.gate()
    client.submit(JobSpec(slots="1", argv=following.argv, priority=_NEXT_GATE))
    found["dispatch"].append(_timed(_pass_through, case, ids)[0] / times)
    case.gate = following


def _look_at(client: Client, one: str) -> None:
    next(client.jobs(one))


def _pass_through(case: Case, ids: list[str]) -> None:
    case.gate.open()
    wait(case.client, ids[-1:])


def _timed(work: Callable[..., T], *operands: object) -> tuple[float, T]:
    """Return milliseconds and what came of it."""
    begin = time.perf_counter()
    found = work(*operands)
    return (time.perf_counter() - begin) * 1000, found


def _report(cases: list[Case], times: int, rounds: int) -> Report:
    report = Report("Depth", [_costs(cases, times, rounds), _sizes(cases)])
    lines: dict[str, list[tuple[int, float]]] = {}
    for case in cases:
        lines.setdefault(case.label, []).append((case.pending, case.figures("dispatch").median))
    lines = {label: points for label, points in lines.items() if len(points) > 1}
    report.charts[CHART] = chart("A dispatch by the whole broker (ms), by pending jobs", lines)
    for case in cases:
        if case.pending == cases[-1].pending:
            least = _shallow(case, cases)
            text = ", ".join(f"{o} {number(r)}" for o, r in _ratios(case, least).items())
            what = f"cost at {case.pending:,} pending, {case.label}, times that at {least.pending}"
            report.headlines.append(Headline(what, text, "-"))
    return report


def _costs(cases: list[Case], times: int, rounds: int) -> Table:
    header = ("pending", "requests", *(f"{o} ms" for o in OPERATIONS), "dearest / 10 pending")
    rows = tuple(
        (
            f"{case.pending:,}",
            f"{case.kinds:,}",
            *(number(case.figures(o).median) for o in OPERATIONS),
            number(max(_ratios(case, _shallow(case, cases)).values())),
        )
        for case in cases
    )
    note = (
        f"Medians of {rounds} rounds in turn, {times} of each: round trips of one client (`hjobs` "
        "of jobs at the front and all through the queue), and the time for one job after the "
        "other to start, run `/bin/true` and end on one slot. Beside 10 pending with one request, "
        "or with several: a job that asks for what the one before it held starts without the "
        "broker, at any depth."
    )
    return Table("Cost by pending jobs", header, rows, note)


def _shallow(case: Case, cases: list[Case]) -> Case:
    """Return the case of the fewest jobs that make one request, or several, as ``case`` does."""
    alike = [one for one in cases if (one.kinds > 1) == (case.kinds > 1)]
    return min(alike, key=lambda one: one.pending)


def _ratios(case: Case, least: Case) -> dict[str, float]:
    """Return how many times more each operation costs than in the case of the fewest jobs."""
    return {o: case.figures(o).times(least.figures(o)) for o in OPERATIONS}


def _sizes(cases: list[Case]) -> Table:
    # Of few jobs, what a page holds besides them would be counted with them.
    shown = [case for case in cases if case.pending >= 10_000] or cases[-1:]
    rows = tuple(
        (
            f"{case.pending:,}",
            f"{case.kinds:,}",
            number(case.bytes_per_job / 1024),
            number(case.fill_rate),
        )
        for case in shown
    )
    header = ("pending", "requests", "KiB of the broker's memory a job", "submitted jobs/s")
    note = (
        "Submitted in batches of up to 10,000 jobs, each of which is on disk when it is told. What "
        "a broker once needed for a batch it keeps for the next one, which shows where it had one."
    )
    return Table("Memory and batch submission", header, rows, note)
