"""idle: what a broker costs that has nothing to do."""

from __future__ import annotations

import re
import time
from pathlib import Path

from hsched.client import Client
from hsched.wire.submit import JobSpec
from tests.bench.figures import Figures, joined, number
from tests.bench.report import Headline, Report, Table
from tests.bench.rounds import Settings, say
from tests.bench.world import World, submit, world

_SWITCHES = re.compile(r"ctxt_switches:\s+(\d+)")


def run(settings: Settings) -> Report:
    """Count the context switches and the CPU time of idle brokers."""
    seconds = settings.of(10, 1)
    rows = []
    worst = 0.0
    with world() as home:
        for pending in (0, 1000):
            _prepare(home, pending)
            found = [_look(home, pending, seconds) for _ in range(settings.rounds)]
            switches, cpu = (joined([one]) for one in zip(*found, strict=True))
            worst = max(worst, switches.worst)
            rows.append(_row(pending, switches, cpu))
    note = (
        f"All threads of the broker over {seconds} s, {settings.rounds} times; one job runs "
        "meanwhile. It blocks until something happens, so it should be switched to never."
    )
    header = ("pending jobs", "switches, median", "switches, worst", "CPU ms, worst")
    report = Report("Idle", [Table("Idle", header, tuple(rows), note)])
    what = f"wake-ups of an idle broker in {seconds} s, worst"
    report.headlines.append(Headline(what, number(worst), "0 is the least"))
    return report


def _prepare(home: World, pending: int) -> None:
    name = f"idle-{pending}"
    home.start("1", name)
    with Client(name) as client:
        client.submit(JobSpec(slots="1", argv=home.gate().argv))
        submit(client, [JobSpec(slots="1", argv=("true",))] * pending)


def _look(home: World, pending: int, seconds: int) -> tuple[float, float]:
    """Return context switches, and milliseconds of CPU, of so many seconds."""
    say(f"  idle for {seconds} s, {pending} pending")
    pid = home.broker_pid(f"idle-{pending}")
    time.sleep(1.0)  # what was done just now comes to rest
    before = _used(pid)
    time.sleep(seconds)
    after = _used(pid)
    return after[0] - before[0], after[1] - before[1]


def _used(pid: int) -> tuple[int, float]:
    """Return the switches and the milliseconds of CPU of all threads so far."""
    switches, nanoseconds = 0, 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        switches += sum(map(int, _SWITCHES.findall((task / "status").read_text())))
        nanoseconds += int((task / "schedstat").read_text().split()[0])
    return switches, nanoseconds / 1e6


def _row(pending: int, switches: Figures, cpu: Figures) -> tuple[str, ...]:
    return (f"{pending:,}", number(switches.median), number(switches.worst), number(cpu.worst))
