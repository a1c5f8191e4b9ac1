"""What experiments cost beyond the work that they do.

``python -m tests.bench.experiment [--rounds N]`` starts a scheduler of two cores with a HOME of
its own, and prints medians beside targets.  Beside each figure of a process stands that of
``python -c pass`` in the same round: on a busy machine the ratio says more than the time.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator

import click

import hsched
from tests.bench.figures import number
from tests.bench.report import Headline, Report, Table
from tests.bench.rounds import Settings, say
from tests.e2e.shell import Shell

#: What is measured: its name, its target in seconds, and in how many rounds at most.
TARGETS: dict[str, tuple[float, int]] = {
    "import hsched.experiment": (0.100, 20),
    "one trivial task beyond its job": (0.050, 20),
    "100 trivial tasks on 2 slots": (3.0, 3),
    "the same by a warm interpreter": (3.0, 3),
    "resubmitting 1,000 that are done": (0.5, 1),
    "submitting a chain of 1,000": (2.0, 3),
}

SCRIPT = """
import sys, time
from typing import Optional
from hsched.experiment import GracefulExperimentExit, Param, Task, experiment

class Trivial(Task):
    x: Param[int]
    def execute(self):
        pass

class Link(Task):
    x: Param[int]
    before: Param[Optional[Task]] = None
    def execute(self):
        time.sleep(3600)

def grid(first, count):
    for x in range(first, first + count):
        Trivial.C(x=x).submit()

def chain(first, count):
    before = None
    for x in range(first, first + count):
        before = Link.C(x=x, before=before).submit()
    raise GracefulExperimentExit

if __name__ == "__main__":
    what, first, count = globals()[sys.argv[1]], int(sys.argv[2]), int(sys.argv[3])
    begin = time.perf_counter()
    with experiment("W", "bench", warm=bool(sys.argv[4:])):
        what(first, count)
    print(time.perf_counter() - begin)
"""


class Bench:
    """One scheduler, one workspace, and fresh tasks for each round."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._first = 0
        (shell.folder / "script.py").write_text(SCRIPT)

    def timed(self, *argv: str) -> float:
        """Return how long a command takes."""
        begin = time.perf_counter()
        self._shell.ok(*argv)
        return time.perf_counter() - begin

    def script(self, what: str, count: int, *more: str, again: bool = False) -> float:
        """Return how long the script's experiment takes, of tasks that are new, or the last."""
        self._first += 0 if again else count
        words = (what, str(self._first), str(count), *more)
        said = self._shell.ok(sys.executable, "script.py", *words, timeout=600)
        return float(said.splitlines()[-1])

    def bare(self) -> float:
        """Return how long it takes Python to do nothing."""
        return self.timed(sys.executable, "-c", "pass")

    def importing(self) -> float:
        """Return what importing takes, Python's own start left out."""
        return self.timed(sys.executable, "-c", "import hsched.experiment") - self.bare()

    def beyond_its_job(self) -> float:
        """Return by how much a job that runs a task is slower than one that does nothing."""
        self.script("grid", 1)
        newest = max(self._shell.folder.glob("W/jobs/*/*/trivial.done"), key=os.path.getmtime)
        newest.unlink()
        task = self._job(sys.executable, str(newest.with_suffix(".py")))
        return task - self._job("/bin/true")

    def chain(self) -> float:
        """Return what submitting a chain takes, whose first task never ends."""
        taken = self.script("chain", 1000)
        self._shell.ok("hkill", "--all", "--grace", "0")
        return taken

    def resubmission(self) -> float:
        """Return what submitting tasks takes that are done."""
        self.script("grid", 1000)
        return self.script("grid", 1000, again=True)

    def _job(self, *argv: str) -> float:
        out = str(self._shell.folder / "log")
        spec = hsched.JobSpec(slots="1", argv=argv, stdout=out, stderr=out)
        with hsched.Client() as client:
            client.status()  # connected, and the subscription below has somebody to ask
            begin = time.perf_counter()
            client.submit(spec).wait()
            return time.perf_counter() - begin


def measures(bench: Bench) -> Iterator[tuple[str, Callable[[], float]]]:
    """Yield what is measured, and how."""
    yield "import hsched.experiment", bench.importing
    yield "one trivial task beyond its job", bench.beyond_its_job
    yield "100 trivial tasks on 2 slots", lambda: bench.script("grid", 100)
    yield "the same by a warm interpreter", lambda: bench.script("grid", 100, "warm")
    yield "submitting a chain of 1,000", bench.chain
    yield "resubmitting 1,000 that are done", bench.resubmission


def measured(rounds: int) -> Iterator[tuple[str, float, float, float]]:
    """Yield what was measured, its median, its target and that of doing nothing; seconds."""
    shell = Shell()
    del shell.env["PYTHONDONTWRITEBYTECODE"]  # each task would compile all it imports
    home = os.environ.get("HOME", "/")
    os.environ["HOME"] = str(shell.home)
    try:
        shell.ok("hstart", "2")
        bench = Bench(shell)
        bench.script("grid", 2)
        for name, measure in measures(bench):
            target, most = TARGETS[name]
            times, bare = zip(
                *((measure(), bench.bare()) for _ in range(min(rounds, most))), strict=True
            )
            yield name, statistics.median(times), target, statistics.median(bare)
    finally:
        os.environ["HOME"] = home
        shell.close()


def run(settings: Settings) -> Report:
    """Measure what experiments cost; ``quick`` means one round."""
    rows, headlines = [], []
    for name, took, target, bare in measured(settings.of(4 * settings.rounds, 1)):
        say(f"  {name}: {took:.3f} s")
        rows.append((name, *map(number, (took, target, bare))))
        if name == "one trivial task beyond its job":
            headlines.append(Headline(f"experiments: {name}, s", number(took), f"target {target}"))
    header = ("", "median s", "target s", "python -c pass s")
    note = "Each beside a Python that does nothing, in the same round."
    return Report("Experiments", [Table("Experiments", header, tuple(rows), note)], headlines)


@click.command()
@click.option("--rounds", default=20, show_default=True, help="The most rounds of a measure.")
def main(rounds: int) -> None:
    """Print what experiments cost."""
    print(f"{'':34} {'median':>9} {'target':>9} {'python -c pass':>15}")
    for name, *told in measured(rounds):
        print(f"{name:34} " + "{:7.3f} s {:7.3f} s {:13.3f} s".format(*told), flush=True)


if __name__ == "__main__":
    main()
