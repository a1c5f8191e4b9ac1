"""What a schedule is worth, in the figures that papers on scheduling report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, fsum

from hsched.core.model import Resource
from hsched.core.policy import Policy
from hsched.simulate.engine import Placement

#: Runs shorter than this count as this long, so that no tiny job outweighs the rest (s).
SHORTEST_S = 10.0


@dataclass(frozen=True, slots=True)
class Metrics:
    """The fields are the keys of ``--json``, a promise; all times are in seconds.

    ``utilisation`` is a share of 1, of the resource that is used most.  ``makespan`` is
    from the first submission to the last end.
    """

    policy: str
    jobs: int
    utilisation: float
    makespan: float
    mean_wait: float
    p95_wait: float
    mean_bounded_slowdown: float


def measure(
    placements: Sequence[Placement], resources: Sequence[Resource], policy: Policy
) -> Metrics:
    """Return the figures of a schedule, which is not empty."""
    waits = [placement.wait_s for placement in placements]
    return Metrics(
        policy=policy.value,
        jobs=len(placements),
        utilisation=max(utilisations(placements, resources).values(), default=0.0),
        makespan=makespan_s(placements),
        mean_wait=fsum(waits) / len(waits),
        p95_wait=percentile(waits, 95),
        mean_bounded_slowdown=fsum(map(bounded_slowdown, placements)) / len(placements),
    )


def makespan_s(placements: Sequence[Placement]) -> float:
    """Return the seconds from the first submission to the last end."""
    first = min(placement.job.submit_s for placement in placements)
    return max(placement.end_s for placement in placements) - first


def bounded_slowdown(placement: Placement) -> float:
    """Return how many times longer than its run a job took, waiting included (Feitelson)."""
    run_s = placement.job.run_s
    return max((placement.wait_s + run_s) / max(run_s, SHORTEST_S), 1.0)


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the smallest of ``values`` that at least ``percent`` % of them do not exceed."""
    return sorted(values)[ceil(len(values) * percent / 100) - 1]


def utilisations(
    placements: Sequence[Placement], resources: Sequence[Resource]
) -> dict[str, float]:
    """Return, by resource, the share of all it could give over the makespan that was held."""
    span = makespan_s(placements)
    shares = {}
    for index, resource in enumerate(resources):
        held = fsum(p.job.amounts[index] * p.job.run_s for p in placements)
        whole = resource.capacity * span
        shares[resource.name] = held / whole if whole else 0.0
    return shares
