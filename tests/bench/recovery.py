"""recovery: how soon a scheduler is there, with nothing to know and with 100,000 jobs."""

from __future__ import annotations

import os
import signal
import time

from hsched.client import Client
from hsched.wire.submit import JobSpec
from tests.bench.figures import Figures, joined, number
from tests.bench.report import Headline, Report, Table
from tests.bench.rounds import Settings, say
from tests.bench.world import World, submit, world
from tests.e2e.shell import is_alive


def run(settings: Settings) -> Report:
    """Measure `hstart`, and the return of a broker that was killed, to its first dispatch."""
    depth = settings.of(100_000, 1000)
    empty, full = [], []
    for number_ in range(settings.rounds):
        say(f"  round {number_ + 1} of {settings.rounds}")
        with world() as home:
            empty.append(_empty(home))
        with world() as home:
            full.append(_full(home, depth))
    cases = {"`hstart`, empty store": empty, f"killed with {depth:,} jobs pending": full}
    rows, totals = [], {}
    for name, found in cases.items():
        answer, first = (joined([one]) for one in zip(*found, strict=True))
        totals[name] = answer
        rows.append(_row(name, answer, first))
    note = (
        "Until the command has returned: `hstart`, or `hnslots`, which brings a killed broker "
        f"back; and from its start until the first job's program runs. {settings.rounds} rounds."
    )
    header = ("", "answer s, median", "worst", "first dispatch s, median", "worst")
    report = Report("Start-up and recovery", [Table("Start-up", header, tuple(rows), note)])
    for name, answer in totals.items():
        report.headlines.append(Headline(f"{name}, s", number(answer.median), "-"))
    return report


def _empty(home: World) -> tuple[float, float]:
    """Return the seconds until `hstart` is back, and until a job runs."""
    file = home.file("times")
    begin = time.time()
    home.start("1")
    answered = time.time() - begin
    home.ok("hsubmit", "1", home.stamp, str(file), "0")
    home.shell.until(file.exists, "the first job has run")
    home.shell.until(lambda: home.times_of(file), "the first job has ended")
    return answered, home.times_of(file)[0][0] - begin


def _full(home: World, depth: int) -> tuple[float, float]:
    """The same for `hnslots`, where the broker was killed and the slots are free by now."""
    file = home.file("times")
    home.start("1")
    gate = home.gate()
    with Client() as client:
        client.submit(JobSpec(slots="1", argv=gate.argv))
        client.submit(JobSpec(slots="1", argv=(home.stamp, str(file), "0")))
        client.submit(JobSpec(slots="1", argv=home.gate().argv))
        submit(client, [JobSpec(slots="1", argv=("true",))] * depth)
    pid = home.broker_pid()
    os.kill(pid, signal.SIGKILL)
    home.shell.until(lambda: not is_alive(pid), "the broker is gone")
    gate.open()
    begin = time.time()
    home.ok("hnslots")
    answered = time.time() - begin
    home.shell.until(file.exists, "the first job has run")
    home.shell.until(lambda: home.times_of(file), "the first job has ended")
    return answered, home.times_of(file)[0][0] - begin


def _row(name: str, answer: Figures, first: Figures) -> tuple[str, ...]:
    return (name, *map(number, (answer.median, answer.worst, first.median, first.worst)))
