"""command: how long one command takes, on an idle queue and on a full one."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from hsched.client import Client
from hsched.wire.submit import JobSpec
from tests.bench import peers
from tests.bench.figures import Figures, number
from tests.bench.report import Headline, Report, Table
from tests.bench.rounds import Contender, Settings, in_turn
from tests.bench.world import World, submit, world

REFERENCE = "python -c 'import click, zmq'"


def run(settings: Settings) -> Report:
    """Measure the wall time of single commands."""
    depth, times = settings.of(10_000, 100), settings.of(10, 3)
    with world() as home:
        _fill(home, "idle", 0)
        _fill(home, "full", depth)
        found = in_turn(_contenders(home, times), settings.rounds)
    reference = found[REFERENCE]
    rows = tuple(_row(name, figures, reference) for name, figures in found.items())
    note = (
        f"Wall time from the start of a command to its end, {times} times in each of "
        f"{settings.rounds} rounds in turn, in ms. Idle: one job runs and holds the only slot. "
        f"Full: {depth:,} more are pending. What is submitted has to wait."
    )
    header = ("", "median ms", "worst ms", "median / python with click, zmq")
    report = Report("One command", [Table("One command", header, rows, note)])
    beside = ["/bin/true", "python -c pass", REFERENCE, "tsp", "nq"]
    text = ", ".join(f"{n} {number(found[n].median)}" for n in beside if n in found)
    report.headlines.append(Headline("one `hsubmit`, ms", number(found[_OURS].median), text))
    return report


_OURS = "hsubmit 1 true (idle)"


def _fill(home: World, name: str, pending: int) -> None:
    home.start("1", name)
    with Client(name) as client:
        client.submit(JobSpec(slots="1", argv=home.gate().argv))
        submit(client, [JobSpec(slots="1", argv=("true",))] * pending)


def _contenders(home: World, times: int) -> dict[str, Contender]:
    python = sys.executable
    found: dict[str, tuple[str, ...]] = {
        "/bin/true": ("/bin/true",),
        "python -c pass": (python, "-c", "pass"),
        REFERENCE: (python, "-c", "import click, zmq"),
    }
    for name in ("idle", "full"):
        found[f"hsubmit 1 true ({name})"] = ("hsubmit", "--name", name, "1", "true")
        found[f"hjobs 1 ({name})"] = ("hjobs", "--name", name, "1")
        found[f"hstatus ({name})"] = ("hstatus", "--name", name)
        found[f"hnslots ({name})"] = ("hnslots", "--name", name)
    if peers.have("tsp"):
        home.shell.env["TS_SOCKET"] = str(home.shell.home / "tsp")
        home.ok("tsp", *home.gate().argv)
        found["tsp"] = ("tsp", "true")
    if peers.have("nq"):
        home.shell.env["NQDIR"] = str(home.shell.folder)
        home.ok("nq", *home.gate().argv)
        found["nq"] = ("nq", "true")
    return {name: _timed(home, words, times) for name, words in found.items()}


def _timed(home: World, words: tuple[str, ...], times: int) -> Contender:
    program = _found(home, words[0])
    return lambda: [_wall_ms(home, program, words) for _ in range(times)]


def _found(home: World, command: str) -> str:
    paths = [Path(folder) / command for folder in home.shell.env["PATH"].split(":")]
    return str(next(path for path in paths if path.exists()))


def _wall_ms(home: World, program: str, words: tuple[str, ...]) -> float:
    quiet = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
    begin = time.perf_counter()
    pid = os.posix_spawn(program, words, home.shell.env, file_actions=quiet)
    _, status = os.waitpid(pid, 0)
    took = time.perf_counter() - begin
    if status:
        raise RuntimeError(f"{' '.join(words)} ended with status {status}")
    return took * 1000


def _row(name: str, figures: Figures, reference: Figures) -> tuple[str, ...]:
    parts = (figures.median, figures.worst, figures.times(reference))
    return (name, *map(number, parts))
