"""tasks: what a task costs beside a plain job, and a graph beside a batch."""

from __future__ import annotations

import os
import subprocess
import time
from functools import partial
from pathlib import Path

from tests.bench import contenders
from tests.bench.figures import Figures, number
from tests.bench.report import Headline, Report, Table
from tests.bench.rounds import Contender, Settings, in_turn
from tests.bench.world import World, world

_CREATE, _SUBMIT = "hsched create", "hsubmit"
_GRAPH, _BATCH = "no-op tasks of one graph", "no-op jobs of one batch"

SCRIPT = """
import hsched
from hsched.tasks import ProcTask, TaskGraph, TaskGroup

tasks = [ProcTask("true", task_name=f"t{i}") for i in range(COUNT)]
graph = TaskGraph()
graph.add_tasks_from(tasks)
graph.add_edges_from([(tasks[i - 1], tasks[i]) for i in range(1, COUNT, 2)])
hsched.export(TaskGroup(tasks, execute_strategy=graph, group_name="g"))
"""


def run(settings: Settings) -> Report:
    """Measure single tasks to their first instruction, and graphs to their last end."""
    times, few, many = settings.of(10, 3), settings.of(2_000, 100), settings.of(10_000, 200)
    with world() as home:
        home.start("2")
        single = in_turn(_single(home, times), settings.rounds)
        several = in_turn(_several(home, few), settings.rounds)
        graph = in_turn({"graph": lambda: [_submitted(home, many)]}, settings.rounds)
    header = ("", "median", "worst", "beside the first")
    first = Table(
        "To the first instruction",
        header,
        _rows(single, single[_SUBMIT]),
        f"Milliseconds from the start of the command to the job's, {times} times in each of "
        f"{settings.rounds} rounds.",
    )
    second = Table(
        f"{few:,} at once",
        header,
        _rows(several, several[_BATCH]),
        "Seconds from the start of the command to the last end, on two slots. Half of the tasks "
        "wait for another one.",
    )
    third = Table(
        f"A graph of {many:,}",
        header,
        _rows(graph, graph["graph"]),
        "Seconds that `hsched create` takes to read the script and to have all of it on disk.",
    )
    report = Report("Tasks", [first, second, third])
    beside = f"`hsubmit` {number(single[_SUBMIT].median)}"
    report.headlines.append(
        Headline("`hsched create` to first instruction, ms", number(single[_CREATE].median), beside)
    )
    return report


def _rows(found: dict[str, Figures], first: Figures) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (name, number(one.median), number(one.worst), number(one.times(first)))
        for name, one in found.items()
    )


def _single(home: World, times: int) -> dict[str, Contender]:
    fifo = home.file("begun")
    os.mkfifo(fifo)
    line = f"echo > {fifo}"
    words = {_SUBMIT: ("hsubmit", "1", line), _CREATE: ("hsched", "create", line)}
    return {name: partial(_begins, home, argv, fifo, times) for name, argv in words.items()}


def _begins(home: World, argv: tuple[str, ...], fifo: Path, times: int) -> list[float]:
    return [_to_begin(home, argv, fifo) for _ in range(times)]


def _to_begin(home: World, argv: tuple[str, ...], fifo: Path) -> float:
    begin = time.perf_counter()
    command = subprocess.Popen(argv, env=home.shell.env, stdout=subprocess.DEVNULL)
    fifo.read_bytes()
    took = time.perf_counter() - begin
    if command.wait():
        raise RuntimeError(f"{argv[0]} ended with status {command.returncode}")
    return took * 1000


def _several(home: World, count: int) -> dict[str, Contender]:
    script = _script(home, count)

    def graph() -> list[float]:
        name = contenders.fresh_scheduler(home, "2")
        begin = time.perf_counter()
        home.ok("hsched", "create", "--scheduler", name, str(script))
        home.ok("hwait", "--name", name, "--all")
        return [_done(home, name, begin)]

    return {_BATCH: lambda: [contenders.hsched_batch(home, count, "true")], _GRAPH: graph}


def _done(home: World, name: str, begin: float) -> float:
    took = time.perf_counter() - begin
    home.stop(name)
    return took


def _script(home: World, count: int) -> Path:
    script = home.file(f"graph{count}.py")
    script.write_text(SCRIPT.replace("COUNT", str(count)))
    return script


def _submitted(home: World, count: int) -> float:
    """Return the seconds of one `hsched create` on a scheduler where nothing fits."""
    name = contenders.fresh_scheduler(home, "2")
    home.ok("hnslots", "--name", name, "drain", "cores:0,1")
    script = _script(home, count)
    begin = time.perf_counter()
    home.ok("hsched", "create", "--scheduler", name, str(script))
    return _done(home, name, begin)
