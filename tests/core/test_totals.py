"""New totals as they are typed, and reasons that tell moments."""

from __future__ import annotations

import pytest

from hsched.core.events import Submitted
from hsched.core.model import job_id
from hsched.core.scheduler import Scheduler
from hsched.core.spec import parse_spec, parse_totals
from hsched.errors import WrongUsage
from tests.core.kit import new

RESOURCES = parse_spec("cores=6,gpus=2,mem=32G")


@pytest.mark.parametrize(
    ("word", "totals"),
    [
        ("8,2,32", (8, 2, 32 << 30)),
        ("8", (8, 2, 32 << 30)),
        ("gpus=1", (6, 1, 32 << 30)),
        ("0,0,0", (0, 0, 0)),
        ("cores=0,mem=512M", (0, 2, 512 << 20)),
        ("16384", (16384, 2, 32 << 30)),
    ],
)
def test_what_is_not_mentioned_stays(word: str, totals: tuple[int, ...]) -> None:
    assert parse_totals(word, RESOURCES) == totals


@pytest.mark.parametrize(
    "word",
    [
        "",
        "1,",
        "-1",
        "x",
        "1.5",
        "1,2,3,4",
        "disks=1",
        "6G",
        "cores=1,cores=2",
        "16385",
        "mem=9999999999G",
    ],
)
def test_what_is_no_list_of_totals_is_refused(word: str) -> None:
    with pytest.raises(WrongUsage):
        parse_totals(word, RESOURCES)


def told(moment: float) -> str:
    return f"<{moment:g}>"


def test_a_reason_tells_until_when_slots_are_held() -> None:
    scheduler = Scheduler(parse_spec("2"))
    scheduler.handle(Submitted((new(1, time_limit_s=10.0), new(2), new(3))), 100.0)
    assert scheduler.reason(job_id(3), 100.0, told) == (
        "slots: needs 1 cores, 0 free (job 1 holds 1 until <115>, job 2 holds 1)"
    )
    assert "until" not in scheduler.reason(job_id(3), 100.0)


def test_a_reason_tells_when_a_job_begins() -> None:
    scheduler = Scheduler(parse_spec("2"))
    scheduler.handle(Submitted((new(1, not_before=200.0),)), 100.0)
    assert scheduler.reason(job_id(1), 100.0, told) == "begins <200>"
    assert scheduler.reason(job_id(1), 100.0) == "begins later"
    assert scheduler.reason(job_id(1), 200.0, told) == "begins now"
