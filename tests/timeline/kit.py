"""Schedules to draw."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timezone
from typing import Any

from hsched.timeline import Meter, Options, Period, Schedule, Stay

#: A noon, and what the pictures here are drawn for.
NOON = 1_800_000_000.0
OPTIONS = Options(last=86400.0, zone=timezone.utc)

CORES = Meter("cores", 6)
GPUS = Meter("gpus", 2)
MEM = Meter("mem", 32)


def stay(
    job: str,
    begin: float,
    end: float | None,
    cores: Sequence[int] = (0,),
    **more: Any,
) -> Stay:
    """Return a job that ran from ``begin`` to ``end`` seconds after noon."""
    given: dict[str, Any] = {
        "job": job,
        "run": "r",
        "submitted": NOON + begin,
        "started": NOON + begin,
        "ended": None if end is None else NOON + end,
        "outcome": "" if end is None else "succeeded",
        "slots": {"cores": tuple(cores)},
        "amounts": {"cores": len(cores)},
        **more,
    }
    return Stay(**given)


def schedule(
    stays: Sequence[Stay],
    now: float,
    meters: Sequence[Meter] = (CORES,),
    periods: Sequence[Period] = (Period("r", NOON - 1.0),),
) -> Schedule:
    """Return a schedule as it is ``now`` seconds after noon."""
    return Schedule("default", "box", tuple(meters), tuple(stays), tuple(periods), NOON + now)


def crowd(count: int, longest: float = 600.0) -> Schedule:
    """Return ``count`` jobs on 6 cores, 2 GPUs and 32 GiB, as a scheduler would place them."""
    chance = random.Random(count)
    free = [0.0] * 6
    stays = []
    for number in range(1, count + 1):
        wide = chance.choice((1, 1, 1, 2, 3))
        cores = sorted(sorted(range(6), key=lambda core: free[core])[:wide])
        begin = max(free[core] for core in cores)
        end = begin + chance.expovariate(1 / longest) + 0.05
        for core in cores:
            free[core] = end + 0.01
        failed = chance.random() < 0.1
        amount = chance.choice((1, 2, 4))
        stays.append(
            stay(
                str(number),
                begin,
                end,
                cores,
                submitted=NOON + max(0.0, begin - chance.expovariate(1 / longest)),
                name=chance.choice(("train", "evaluate", "prepare-the-data", "")),
                command="python train.py --lr 0.1",
                outcome="failed (1)" if failed else "succeeded",
                amounts={"cores": wide, "mem": amount},
            )
        )
    return schedule(stays, max(free) + 1, (CORES, GPUS, MEM))
