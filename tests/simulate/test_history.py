"""History as a workload: a client answers from memory, as a broker would from its store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest

from hsched.client import Client
from hsched.core.model import Condition
from hsched.core.spec import parse_spec
from hsched.errors import Refused, WrongUsage
from hsched.simulate import Workload, simulate
from hsched.simulate.history import read_history
from hsched.wire.jobs import DependencyView, Held, JobView


class PastClient:
    """Knows some done jobs."""

    name = "lab"

    def __init__(self, *views: JobView) -> None:
        self._views = views
        self.asked: dict[str, Any] = {}

    def jobs(self, **asked: Any) -> Iterator[JobView]:
        self.asked = asked
        yield from self._views


def stamp(at_s: float) -> str:
    """Return a moment of one morning, as the broker stamps it."""
    return f"2026-11-21T03:{int(at_s // 60):02}:{at_s % 60:06.3f}+00:00"


def past(identity: str, submit_s: float, start_s: float, end_s: float, **fields: Any) -> JobView:
    """Return a done job on one core and no GPU."""
    given: dict[str, Any] = {
        "run": "2026-11-21/03-00-00",
        "scheduler": "lab",
        "host": "box",
        "uid": 1000,
        "state": "done",
        "outcome": "succeeded",
        "request": {"cores": Held(amount=1), "gpus": Held(amount=0)},
        "submitted_at": stamp(submit_s),
        "started_at": stamp(start_s),
        "ended_at": stamp(end_s),
    }
    return JobView(id=identity, **{**given, **fields})


def read(*views: JobView, slots: str = "6,3,32") -> Workload:
    return read_history(cast(Client, PastClient(*views)), parse_spec(slots))


def gpus(amount: int) -> dict[str, Held]:
    return {"cores": Held(amount=1), "gpus": Held(amount=amount)}


def test_the_done_jobs_of_a_run_are_asked_for() -> None:
    client = PastClient(past("1", 0, 0, 1))
    read_history(cast(Client, client), parse_spec("6"), "2026-11-20/03-00-00")
    assert client.asked == {"scope": "done", "run": "2026-11-20/03-00-00"}


def test_times_count_from_the_first_submission() -> None:
    first, second = read(past("1", 100, 101, 111.5), past("2", 130, 140, 141, priority=4)).jobs
    assert (first.submit_s, first.run_s, first.estimate_s) == (0, 10.5, 10.5)
    assert (second.submit_s, second.run_s, second.priority) == (30, 1, 4)
    assert first.amounts == (1, 0, 0), "there is no mem in that run"


def test_a_third_gpu_would_have_helped() -> None:
    views = [past(str(i), 0, 0, 60, request=gpus(1)) for i in range(1, 4)]
    for slots, begun in (("6,2,32", [0, 0, 60]), ("6,3,32", [0, 0, 0])):
        placements = simulate(read(*views, slots=slots).jobs, parse_spec(slots))
        assert [p.start_s for p in placements] == begun


def test_jobs_that_never_ran_or_are_too_large_are_left_out() -> None:
    found = read(
        past("1", 0, 0, 1),
        past("2", 0, 0, 1, started_at=None, outcome="dependency failed"),
        past("3", 0, 0, 1, request=gpus(4)),
        past("4", 0, 0, 1, request={"licences": Held(amount=1)}),
        past("5", 0, 0, 1, request={"cores": Held(amount=1), "licences": Held(amount=0)}),
    )
    assert [one.label for one in found.jobs] == ["1", "5"]
    assert found.left_out == {"without a run time": 1, "larger than the machine": 2}


def test_dependencies_are_kept_as_far_as_they_go() -> None:
    def on(*edges: tuple[str, str]) -> dict[str, Any]:
        return {"depends_on": tuple(DependencyView(id=i, condition=c) for i, c in edges)}

    found = read(
        past("1.0", 0, 0, 1, array_id="1", array_index=0),
        past("1.1", 0, 0, 1, array_id="1", array_index=1),
        past("2", 0, 0, 1, request=gpus(9)),
        past("3", 0, 0, 1, **on(("1", "afterok"), ("2", "afterany"), ("4", "afterany"))),
        past("4", 0, 0, 1, **on(("1.1", "after"), ("3", "afternotok"))),
    )
    over, begun = Condition.AFTERANY, Condition.AFTER
    assert [one.upstreams for one in found.jobs] == [
        (),
        (),
        ((0, over), (1, over)),
        ((1, begun), (2, over)),
    ]


def test_a_clock_that_was_set_back_does_not_change_the_order() -> None:
    jobs = read(past("1", 100, 100, 101), past("2", 40, 40, 41), past("3", 110, 110, 109)).jobs
    assert [(one.submit_s, one.run_s) for one in jobs] == [(0, 1), (0, 1), (10, 0)]


@pytest.mark.parametrize(
    ("slots", "held", "message"),
    [
        ("mem=32", Held(amount=1 << 30), "mem was an amount in that run.*mem=32G"),
        ("mem=32G", Held(amount=2, slots=(0, 1)), "mem was slots in that run.*mem=6"),
    ],
)
def test_slots_are_no_amount(slots: str, held: Held, message: str) -> None:
    view = past("1", 0, 0, 1, request={"mem": held}, allocation={"mem": held})
    with pytest.raises(WrongUsage, match=message):
        read(view, slots=slots)


def test_an_empty_history_is_refused() -> None:
    with pytest.raises(Refused, match="no job of scheduler lab is done"):
        read()
