"""``hsched simulate``: what the scheduler would make of a trace, or of its own past."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

import click

from hsched.cli.common import Command, put, run, scheduler_option
from hsched.errors import Refused, WrongUsage

if TYPE_CHECKING:
    from hsched.core.model import Resource
    from hsched.simulate import Metrics, Placement, Workload

_LABEL_WIDTH, _VALUE_WIDTH = 22, 14


def _scale(given: float) -> float:
    if not (isfinite(given) and given >= 0):
        raise click.BadParameter("it is 0 or more", param_hint="--arrival-scale")
    return given


@click.command(
    "hsched simulate",
    cls=Command,
    examples=(
        "hsched simulate trace.swf.gz --slots 128",
        "hsched simulate trace.swf --slots 128 --policy fifo --arrival-scale 0.5 --json",
        "hsched simulate --from-history --slots 6,3,32 --plot out.svg",
    ),
)
@click.argument("trace", required=False, metavar="[TRACE]")
@click.option("--slots", metavar="SPEC", required=True, help="What there is, as for hstart.")
@click.option(
    "--policy",
    type=click.Choice(["backfill", "first-fit", "fifo"]),
    default="backfill",
    metavar="POLICY",
    help="Which pending jobs start, as for hstart: backfill (the default), first-fit or fifo.",
)
@click.option(
    "--overtake",
    type=click.IntRange(min=0),
    default=10,
    metavar="K",
    help="How many jobs may start past one that does not fit, where backfill knows no bound; "
    "by default 10.",
)
@click.option(
    "--arrival-scale",
    type=float,
    default=1.0,
    metavar="X",
    callback=lambda _context, _parameter, value: _scale(value),
    help="Multiply the times between submissions by X: 0.5 draws them together.",
)
@click.option(
    "--from-history", is_flag=True, help="Take the jobs of a scheduler's run instead of a trace."
)
@click.option("--run", "run_name", metavar="RUN", help="An older run of that scheduler.")
@click.option("--plot", metavar="FILE", help="Write a picture, slots against time, as SVG.")
@click.option("--json", "as_json", is_flag=True, help="Print one object for scripts.")
@scheduler_option
def command(
    scheduler: str | None, trace: str | None, slots: str, as_json: bool, **asked: Any
) -> None:
    """Run the scheduler over a trace in virtual time, and print how well it did.

    TRACE is a file in Standard Workload Format, packed (.swf.gz) or not. No job is
    started.
    """
    from hsched.core.policy import Policy  # slow to import: not for --help
    from hsched.core.spec import parse_spec
    from hsched.simulate import measure, simulate

    source = (trace, asked["from_history"], scheduler, asked["run_name"])
    _check_source(*source)
    resources = parse_spec(slots)
    workload = _workload(source, resources)
    policy = Policy(asked["policy"])
    jobs = workload.scaled(asked["arrival_scale"]).jobs
    placements = simulate(jobs, resources, policy, asked["overtake"])
    metrics = measure(placements, resources, policy)
    if asked["plot"] is not None:
        _plot(asked["plot"], placements, resources, metrics)
    _tell_left_out(workload)
    put([_json(metrics)] if as_json else _table(metrics, placements, resources))


def _check_source(
    trace: str | None, from_history: bool, scheduler: str | None, run_name: str | None
) -> None:
    if (trace is None) != from_history:
        raise WrongUsage("give either a TRACE or --from-history")
    if trace is not None and (scheduler or run_name):
        raise WrongUsage("--name and --run go with --from-history, not with a TRACE")


def _workload(
    source: tuple[str | None, bool, str | None, str | None], resources: Sequence[Resource]
) -> Workload:
    trace, _, scheduler, run_name = source
    if trace is not None:
        from hsched.simulate.swf import read_swf

        workload = read_swf(trace, resources)
    else:
        from hsched.client import Client
        from hsched.simulate.history import read_history

        with Client(scheduler) as client:
            workload = read_history(client, resources, run_name)
    if not workload.jobs:
        raise Refused(f"there is no job to simulate; {_left_out(workload)}")
    return workload


def _left_out(workload: Workload) -> str:
    reasons = [f"{count} {reason}" for reason, count in sorted(workload.left_out.items())]
    return f"left out: {', '.join(reasons)}"


def _tell_left_out(workload: Workload) -> None:
    if workload.left_out:
        click.echo(_left_out(workload), err=True)


def _plot(
    path: str, placements: Sequence[Placement], resources: Sequence[Resource], metrics: Metrics
) -> None:
    from hsched.simulate.plot import draw

    title = (
        f"{metrics.policy}: {metrics.jobs} jobs, utilisation {metrics.utilisation:.1%}, "
        f"mean wait {_clock(metrics.mean_wait)}, "
        f"mean bounded slowdown {metrics.mean_bounded_slowdown:.2f}"
    )
    picture = draw(placements, resources, title)
    with open(path, "w", encoding="utf-8") as file:
        file.write(picture)


def _json(metrics: Metrics) -> str:
    from dataclasses import asdict

    return json.dumps(asdict(metrics))


def _table(
    metrics: Metrics, placements: Sequence[Placement], resources: Sequence[Resource]
) -> list[str]:
    from hsched.cli.render import columns
    from hsched.simulate.metrics import utilisations

    shares = utilisations(placements, resources)
    each = ", ".join(f"{name} {share:.1%}" for name, share in shares.items())
    times = {
        "makespan": metrics.makespan,
        "mean wait": metrics.mean_wait,
        "p95 wait": metrics.p95_wait,
    }
    rows = [
        ("policy", metrics.policy, ""),
        ("jobs", str(metrics.jobs), ""),
        ("utilisation", f"{metrics.utilisation:.1%}", each if len(shares) > 1 else ""),
        *((label, f"{time_s:.1f} s", _clock(time_s)) for label, time_s in times.items()),
        ("mean bounded slowdown", f"{metrics.mean_bounded_slowdown:.2f}", ""),
    ]
    return list(columns(rows, (_LABEL_WIDTH, _VALUE_WIDTH)))


def _clock(time_s: float) -> str:
    """Return a length of time as ``--time`` takes one: ``2-12:00:00``."""
    minutes, seconds = divmod(round(time_s), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{f'{days}-' if days else ''}{hours}:{minutes:02}:{seconds:02}"


def main() -> None:
    """Be the program."""
    run(command)
