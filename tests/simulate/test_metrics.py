"""The figures, worked out by hand."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from hsched.core.model import Allocation
from hsched.core.policy import Policy
from hsched.core.spec import parse_spec
from hsched.simulate import Metrics, Placement, measure
from hsched.simulate.metrics import bounded_slowdown, percentile, utilisations
from tests.simulate.kit import BACKFILL, FIFO, FIRST_FIT, job, place
from tests.simulate.test_engine import CLASSIC

# The schedules of CLASSIC are derived in test_engine.  In each, 3x10 + 4x10 + 1x5 + 1x20 =
# 95 processor seconds are used.  The slowdown of C counts its 5 s as 10.
#
#   FCFS        A  B  C  D
#     start     0 10 20 20    end of D: 40, so 4 x 40 = 160 processor seconds
#     wait      0  9 18 17    mean 44/4 = 11; 95 % of four jobs are all four: 18
#     slowdown  1, 19/10 = 1.9, (18+5)/10 = 2.3, (17+20)/20 = 1.85: 7.05/4
#   EASY
#     start     0 10  2 20    end of D: 40
#     wait      0  9  0 17    mean 26/4 = 6.5
#     slowdown  1, 1.9, 5/10 is less than 1: 1, 1.85: 5.75/4
#   first fit
#     start     0 27  2  7    end of B: 37, so 148 processor seconds
#     wait      0 26  0  4    mean 30/4 = 7.5
#     slowdown  1, 36/10 = 3.6, 1, 24/20 = 1.2: 6.8/4
WORKED = {
    FIFO: Metrics("fifo", 4, 95 / 160, 40, 11, 18, 7.05 / 4),
    BACKFILL: Metrics("backfill", 4, 95 / 160, 40, 6.5, 17, 5.75 / 4),
    FIRST_FIT: Metrics("first-fit", 4, 95 / 148, 37, 7.5, 26, 6.8 / 4),
}


@pytest.mark.parametrize("policy", list(Policy))
def test_the_figures_are_those_worked_out_by_hand(policy: Policy) -> None:
    found = measure(place(CLASSIC, "4", policy), parse_spec("4"), policy)
    assert asdict(found) == pytest.approx(asdict(WORKED[policy]))


@pytest.mark.parametrize(
    ("wait", "run", "slowdown"),
    [
        (0, 100, 1),
        (100, 100, 2),
        (0, 1, 1),  # 1/10 is less than 1
        (9, 1, 1),  # 10/10
        (19, 1, 2),  # 20/10, where it would be 20 without the bound
        (20, 0, 2),
    ],
)
def test_slowdown_is_bounded(wait: float, run: float, slowdown: float) -> None:
    placement = Placement(job(5, run, 1), 5 + wait, 5 + wait + run, Allocation(((0,),), (1,)))
    assert bounded_slowdown(placement) == slowdown


@pytest.mark.parametrize(
    ("values", "percent", "found"),
    [([7], 95, 7), (range(1, 101), 95, 95), (range(1, 21), 95, 19), ([3, 1, 2], 95, 3)],
)
def test_percentiles_are_values_that_occur(values: list[float], percent: int, found: float) -> None:
    assert percentile(list(values), percent) == found


def test_utilisation_is_that_of_the_resource_that_is_used_most() -> None:
    # 10 s on 1 of 4 cores and the only GPU, then 10 s on 2 cores: 30 of 80, and 10 of 20.
    placements = place([job(0, 10, 1, 1), job(10, 10, 2, 0)], "4,1")
    assert utilisations(placements, parse_spec("4,1")) == {"cores": 30 / 80, "gpus": 0.5}
    assert measure(placements, parse_spec("4,1"), BACKFILL).utilisation == 0.5


def test_no_time_and_no_slots_are_no_use() -> None:
    placements = place([job(0, 0, 1, 0)], "1,0")
    assert utilisations(placements, parse_spec("1,0")) == {"cores": 0.0, "gpus": 0.0}
