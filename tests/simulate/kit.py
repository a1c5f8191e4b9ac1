"""What the tests of the simulation share: small traces, and how they were scheduled."""

from __future__ import annotations

from collections.abc import Sequence

from hsched.core.policy import Policy
from hsched.core.spec import parse_spec
from hsched.simulate import Placement, TraceJob, simulate

FIFO, FIRST_FIT, BACKFILL = Policy.FIFO, Policy.FIRST_FIT, Policy.BACKFILL


def job(submit_s: float, run_s: float, *amounts: int, estimate_s: float | None = None) -> TraceJob:
    """Return a job that asks for ``amounts``, with its run time as its estimate."""
    estimate = run_s if estimate_s is None else estimate_s
    return TraceJob(f"{submit_s:g}", submit_s, run_s, estimate, amounts)


def place(
    jobs: Sequence[TraceJob], spec: str, policy: Policy = BACKFILL, overtake: int = 10
) -> list[Placement]:
    """Return the schedule of ``jobs``."""
    return simulate(jobs, parse_spec(spec), policy, overtake)


def starts(
    jobs: Sequence[TraceJob], spec: str, policy: Policy = BACKFILL, overtake: int = 10
) -> list[float]:
    """Return when each of ``jobs`` starts."""
    return [placement.start_s for placement in place(jobs, spec, policy, overtake)]


def line(number: int, submit: object, run: object, processors: object, **fields: object) -> str:
    """Return a line of SWF; ``requested``, ``estimate`` and ``status`` are unknown unless given."""
    requested, estimate = fields.get("requested", -1), fields.get("estimate", -1)
    known = (number, submit, -1, run, processors, -1, -1, requested, estimate, -1)
    return " ".join(map(str, (*known, fields.get("status", 1), *[-1] * 7))) + "\n"
