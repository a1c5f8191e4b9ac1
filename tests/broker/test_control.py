"""What the broker makes of words and numbers, without a broker."""

from __future__ import annotations

from typing import Any

import pytest

from hsched.broker import clock, specs
from hsched.broker.dependencies import parse
from hsched.broker.recovery import ran_s
from hsched.broker.selection import id_of, meaning
from hsched.broker.store.rows import Life
from hsched.broker.verbs.drain import parse_slots
from hsched.core.model import Condition, Request, job_id
from hsched.core.spec import parse_spec
from hsched.errors import NoSuchJob, WrongUsage
from hsched.wire.submit import JobSpec


@pytest.mark.parametrize("wall", [0.0, 1e6, 1e12])
def test_how_long_a_job_ran_depends_on_no_wall_clock(wall: float) -> None:
    life = Life(state="running", started_at=wall, started_clock=100.0)
    assert ran_s(life, 130.0) == 30.0
    assert ran_s(life, 90.0) == 0.0
    assert ran_s(life._replace(started_clock=None), 130.0) == 0.0


def test_a_moment_of_the_wall_becomes_one_of_the_scheduler() -> None:
    spec = JobSpec(slots="1", argv=("ls",), begin_at=1050.0)
    job = specs.new_job(job_id(1), spec, Request((1,)), (), (7.0, 1000.0))
    assert job.not_before == 57.0


@pytest.mark.parametrize(
    "fields",
    [
        {"priority": 10**30},
        {"time_limit": 0.0},
        {"time_limit": -1.0},
        {"time_limit": float("nan")},
        {"time_limit": float("inf")},
        {"begin_at": float("inf")},
        {"begin_at": float("nan")},
        {"grace": float("nan")},
        {"retries": -1},
        {"retries": 10**30},
        {"retry_on": (256,)},
        {"retry_on": (-1,)},
        {"warn_signal": 10},
        {"warn_signal": 0, "time_limit": 5.0},
        {"warn_signal": 32, "time_limit": 5.0},
        {"warn_signal": 10, "time_limit": 5.0, "warn_before": -1.0},
        {"warn_signal": 10, "time_limit": 5.0, "warn_before": float("nan")},
        {"name": ""},
        {"labels": ("x", "")},
        {"labels": ("x" * 256,)},
        {"pid": 1},
        {"kind": "adopted"},
    ],
)
def test_what_no_job_can_be_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(WrongUsage):
        specs.check(JobSpec(slots="1", argv=("ls",), **fields))


def test_last_counts_back_from_the_newest_job() -> None:
    assert id_of("last", 5) == job_id(5)
    assert id_of("last~4", 5) == job_id(1)
    assert id_of("lastly", 5) is None
    for word, last in (("last~5", 5), ("last", 0)):
        with pytest.raises(NoSuchJob):
            id_of(word, last)


@pytest.mark.parametrize(
    ("word", "values", "is_one"),
    [
        ("7", (job_id(7), job_id(8)), True),
        ("7.3", (job_id(7, 3),), True),
        ("3-5", (job_id(3), job_id(6)), False),
        ("last~1", (job_id(8), job_id(9)), True),
        ("train", ("train",), False),
        ("name:last", ("last",), False),
        ("label:a:b", ("a:b",), False),
    ],
)
def test_a_word_means_jobs(word: str, values: tuple[Any, ...], is_one: bool) -> None:
    found = meaning(word, 9)
    assert (found.values, found.is_one) == (values, is_one)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("7", (Condition.AFTERANY, "7")),
        ("afterok:last~1", (Condition.AFTEROK, "last~1")),
        ("label:x", (Condition.AFTERANY, "label:x")),
        ("afternotok:name:a:b", (Condition.AFTERNOTOK, "name:a:b")),
        ("after:@here", (Condition.AFTER, "@here")),
    ],
)
def test_a_dependency_is_a_condition_and_an_upstream(
    word: str, meant: tuple[Condition, str]
) -> None:
    assert parse(word) == meant


def test_slots_are_named_by_resource_and_number() -> None:
    resources = parse_spec("cores=6,gpus=2,mem=8G")
    assert parse_slots(["gpus:1", "cores:0,2-3", "cores:3"], resources) == {1: {1}, 0: {0, 2, 3}}
    for wrong in ("mem:0", "gpus:2", "gpus", "x:1", "cores:1-", "cores:-1", ""):
        with pytest.raises(WrongUsage):
            parse_slots([wrong], resources)


def test_a_moment_is_told_with_its_date_where_it_is_another_day() -> None:
    now = clock.wall()
    assert len(clock.told(now, now)) == len("14:05")
    assert len(clock.told(now + 48 * 3600, now)) == len("2026-11-21 14:05")
