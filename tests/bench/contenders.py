"""How each program is told to run the same job many times, and that it really did."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

from hsched.client import Client
from hsched.wire.submit import JobSpec
from tests.bench.attic import put_away
from tests.bench.world import World, count_succeeded, submit, wait

BARE = (sys.executable, str(Path(__file__).with_name("bare.py")))
_MEMORY = "/dev/shm"
_LOOP = 'i=0; while [ $i -lt "$0" ]; do "$@" >/dev/null || exit 1; i=$((i+1)); done'


class Miscounted(Exception):
    """A program did not run as many jobs as it was given: its time means nothing."""


def hsched_batch(world: World, count: int, *command: str) -> float:
    """Return the seconds that one `hsubmit --each` takes, to the last end told."""
    name = fresh_scheduler(world, "2")
    lines = world.file("lines")
    lines.write_text("x\n" * count)
    # Each line is one word more, which the command takes no notice of.
    words = ("hsubmit", "--name", name, "1", "--each", str(lines), *command, "{}")
    with Client(name) as client:
        begin = time.perf_counter()
        ids = world.ok(*words).split()
        wait(client, ids)
        took = time.perf_counter() - begin
    return _checked(world, name, count, took)


def hsched_singly(world: World, count: int, *command: str) -> float:
    """Return the seconds that so many `hsubmit` take, to the last end told."""
    name = fresh_scheduler(world, "2")
    with Client(name) as client:
        begin = time.perf_counter()
        loop(world, count, "hsubmit", "--name", name, "1", *command)
        wait(client, [str(number) for number in range(max(1, count - 2), count + 1)])
        took = time.perf_counter() - begin
    return _checked(world, name, count, took)


def hsched_draining(world: World, count: int, *command: str) -> float:
    """Return the seconds from the moment that slots are free to the end of a full queue."""
    name = fresh_scheduler(world, "2")
    gate = world.gate()
    with Client(name) as client:
        client.submit(JobSpec(slots="2", argv=gate.argv))
        ids = submit(client, [JobSpec(slots="1", argv=command)] * count)
        time.sleep(0.5)  # what the submission has left to do is not part of it
        begin = time.perf_counter()
        gate.open()
        wait(client, ids)
        took = time.perf_counter() - begin
    return _checked(world, name, count + 1, took)


def tsp(world: World, count: int, slots: int, *command: str) -> float:
    """Return the seconds that so many `tsp` take, to the last end told."""
    environment = _tsp_server(world, slots)
    begin = time.perf_counter()
    loop(world, count, "tsp", *command, env=environment)
    world.ok("tsp", "-w", env=environment)
    return _tsp_checked(world, environment, count, begin)


def tsp_draining(world: World, count: int, *command: str) -> float:
    """Return the seconds from the moment that slots are free to the end of a full queue."""
    environment = _tsp_server(world, 2)
    gate = world.gate()
    world.ok("tsp", "-N", "2", *gate.argv, env=environment)
    loop(world, count, "tsp", *command, env=environment)
    time.sleep(0.5)
    begin = time.perf_counter()
    gate.open()
    world.ok("tsp", "-w", env=environment)
    return _tsp_checked(world, environment, count + 1, begin)


def nq(world: World, count: int, *command: str) -> float:
    """Return the seconds that so many `nq` take, one job at a time."""
    folder = world.file("queue")
    folder.mkdir()
    begin = time.perf_counter()
    loop(world, count, "nq", *command, env={"NQDIR": str(folder)})
    world.ok("nq", "-w", env={"NQDIR": str(folder)})
    took = time.perf_counter() - begin
    ended = world.shell.until(lambda: _nq_ended(folder, count), "nq has told all ends")
    _check("nq", count, sum("exited with status 0" in log for log in ended))
    put_away(folder)
    return took


def parallel(world: World, count: int, slots: int, *command: str) -> float:
    """Return the seconds that GNU parallel takes.

    It makes and removes files for each job: in memory, or else on the disk of the others, for
    whom that would make files dear (:mod:`tests.bench.attic`).
    """
    log = world.file("joblog")
    words = ("parallel", "-j", str(slots), "--joblog", str(log), "-n0", *command)
    took = _fed(world, count, *words, env={"TMPDIR": _MEMORY} if os.path.isdir(_MEMORY) else {})
    ended = [line.split("\t")[6] for line in log.read_text().splitlines()[1:]]
    _check("parallel", count, ended.count("0"))
    return took


def xargs(world: World, count: int, slots: int, *command: str) -> float:
    """Return the seconds that `xargs -P` takes; it fails where one of its jobs does."""
    # The word that it appends is one that the job takes no notice of.
    return _fed(world, count, "xargs", "-P", str(slots), "-n", "1", *command)


def bare(world: World, count: int, slots: int, *command: str) -> float:
    """Return the seconds that posix_spawn and wait take; it fails where one of its jobs does."""
    begin = time.perf_counter()
    world.ok(*BARE, str(count), str(slots), *command)
    return time.perf_counter() - begin


def fresh_scheduler(world: World, spec: str) -> str:
    """Start a scheduler without a past and return its name."""
    name = "bench"
    if world.folder(name).exists():
        world.stop(name)
    world.start(spec, name)
    time.sleep(0.5)  # until the process behind the thin commands is there
    return name


def loop(world: World, count: int, *words: str, env: dict[str, str] | None = None) -> None:
    """Run a command so many times, from a shell."""
    world.ok("/bin/sh", "-c", _LOOP, str(count), *words, env=env or {})


def rate_of(run: Callable[[], float], count: int) -> Callable[[], list[float]]:
    """Return what measures jobs a second where ``run`` measures the seconds of them all."""
    return lambda: [count / run()]


def _nq_ended(folder: Path, count: int) -> list[str]:
    # `nq -w` returns before the last log is complete.
    logs = [log.read_text() for log in folder.iterdir()]
    return logs if sum("[exited" in log for log in logs) >= count else []


def _fed(world: World, count: int, *words: str, env: dict[str, str] | None = None) -> float:
    begin = time.perf_counter()
    world.ok(*words, input="x\n" * count, env=env or {})
    return time.perf_counter() - begin


def _tsp_server(world: World, slots: int) -> dict[str, str]:
    environment = {"TS_SOCKET": str(world.shell.home / "tsp"), "TS_MAXFINISHED": "100000"}
    environment["TMPDIR"] = str(world.file("output"))
    Path(environment["TMPDIR"]).mkdir()
    world.ok("tsp", "-S", str(slots), env=environment)
    return environment


def _tsp_checked(world: World, env: dict[str, str], count: int, begin: float) -> float:
    # `tsp -w` waits for the last job alone; with two slots another may end after it.
    ended = world.shell.until(lambda: _tsp_ended(world, env, count), "tsp is done")
    took = time.perf_counter() - begin
    world.ok("tsp", "-K", env=env)
    put_away(Path(env["TMPDIR"]))
    _check("tsp", count, len(re.findall(r" finished +\S+ +0 ", ended)))
    return took


def _tsp_ended(world: World, env: dict[str, str], count: int) -> str:
    listed = world.ok("tsp", "-l", env=env)
    return listed if len(re.findall(" finished ", listed)) >= count else ""


def _checked(world: World, name: str, count: int, took: float) -> float:
    _check("hsched", count, count_succeeded(world, name))
    return took


def _check(program: str, count: int, ran: int) -> None:
    if ran != count:
        raise Miscounted(f"{program} was given {count} jobs, and {ran} ran and succeeded")
