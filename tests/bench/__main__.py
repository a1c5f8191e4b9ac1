"""``python -m tests.bench [NAME]...``: measure, print tables, write docs/benchmarks.md."""

from __future__ import annotations

import signal
import sys
import tempfile
import traceback
from pathlib import Path
from types import FrameType, ModuleType

import click

from tests.bench import (
    command,
    core,
    depth,
    dispatch,
    experiment,
    idle,
    machine,
    peers,
    recovery,
    tasks,
    throughput,
)
from tests.bench.attic import attic
from tests.bench.report import Report, document
from tests.bench.rounds import Settings, say

BENCHMARKS: dict[str, ModuleType] = {
    "dispatch": dispatch,
    "throughput": throughput,
    "command": command,
    "depth": depth,
    "idle": idle,
    "recovery": recovery,
    "core": core,
    "tasks": tasks,
    "experiment": experiment,
}

_ABOUT = (
    "Written by `make bench`, which measures hsched and other programs in turn on one machine. "
    "Compare what stands in one table; another machine has other figures."
)


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHMARKS)), metavar="[NAME]...")
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(min=1))
@click.option("--quick", is_flag=True, help="Few jobs each: to see that it works, not how fast.")
@click.option(
    "--write",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write benchmarks.md and the charts into this folder too.",
)
def main(names: tuple[str, ...], rounds: int, quick: bool, write: Path | None) -> None:
    """Run the benchmarks called NAME, by default all, and print what they found.

    NAME is dispatch, throughput, command, depth, idle, recovery, core, tasks or experiment.
    """
    signal.signal(signal.SIGTERM, _leave)
    if remark := peers.install():
        say(f"bench: {remark}")
    with tempfile.TemporaryDirectory() as folder:
        about = machine.describe(Path(folder))
    say(about)
    reports, failed = [], []
    with attic():
        for name in names or BENCHMARKS:
            say(f"{name}:")
            try:
                reports.append(BENCHMARKS[name].run(Settings(rounds, quick)))
            except Exception:  # what the others have found took minutes
                traceback.print_exc()
                failed.append(name)
    absent = [command for command in peers.PACKAGES if not peers.have(command)]
    about += f" Not installed, so not measured: {', '.join(absent)}." if absent else ""
    text = document(reports, about, _ABOUT)
    print(text)
    if write is not None:
        _write(write, text, reports)
    if failed:
        sys.exit(f"bench: not measured, because it failed: {', '.join(failed)}")


def _write(folder: Path, text: str, reports: list[Report]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "benchmarks.md").write_text(text)
    for report in reports:
        for name, svg in report.charts.items():
            (folder / name).write_text(svg)


def _leave(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(143)  # which ends each world on its way out


if __name__ == "__main__":
    main()
