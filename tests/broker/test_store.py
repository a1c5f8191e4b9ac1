"""The store: what was committed is there, and damage is not taken for truth."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from hsched.broker.store import Store, schema
from hsched.broker.store.rows import (
    Asked,
    Given,
    JobRow,
    Life,
    allocation_of,
    allocation_text,
    request_of,
    request_text,
    resources_of,
    resources_text,
)
from hsched.core.model import Allocation, Request, Resource, job_id
from hsched.errors import StoreError

RESOURCES = (Resource("cores", 6), Resource("mem", 32 << 30, numbered=False, unit=1 << 30))


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "hsched.db")


@pytest.fixture
def store(path: str) -> Iterator[Store]:
    opened = Store(path)
    yield opened
    opened.close()


def a_job(run: int, number: int, **life: object) -> JobRow:
    given = Given(
        run, job_id(number), 0, "host", "command", None, "[]", None, 1.5, 1, "/", "{}", "[]"
    )
    asked = Asked(0, 0, "", "[1, 0]", None, 0)
    return JobRow(given, asked, Life(state="pending")._replace(**life))  # type: ignore[arg-type] # any column


def a_run(store: Store) -> int:
    store.begin()
    run = store.add_run("2026-01-01/00-00-00", RESOURCES, {"overtake": 3}, (1.0, "boot"))
    store.commit()
    return run.number


def test_what_was_committed_is_there_after_reopening(store: Store, path: str) -> None:
    run = a_run(store)
    store.begin()
    store.add_jobs([a_job(run, 1), a_job(run, 2, state="done", outcome="succeeded")])
    store.commit()
    store.close()
    again = Store(path)
    opened = again.open_run()
    assert opened is not None
    assert (opened.resources, opened.options) == (RESOURCES, {"overtake": 3})
    assert [job.given.id for job in again.live_jobs(run)] == [job_id(1)]
    assert again.job(run, job_id(2)) == a_job(run, 2, state="done", outcome="succeeded")
    assert again.last_job_number(run) == 2
    again.close()


def test_what_was_not_committed_is_not(store: Store, path: str) -> None:
    run = a_run(store)
    store.begin()
    store.add_jobs([a_job(run, 1)])
    store.close()
    again = Store(path)
    assert again.job(run, job_id(1)) is None
    again.close()


def test_a_second_broker_cannot_open_the_store(store: Store, path: str) -> None:
    a_run(store)
    with pytest.raises(StoreError, match="locked"):
        Store(path)


def test_a_store_from_the_future_is_refused_by_name(store: Store, path: str) -> None:
    store.close()
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {schema.FORMAT_VERSION + 1}")
    db.close()
    with pytest.raises(StoreError, match=rf"{path} is of format {schema.FORMAT_VERSION + 1}"):
        Store(path)


@pytest.mark.parametrize("column", ["spec", "priority", "state"])
def test_a_row_that_was_changed_behind_our_back_is_refused(
    store: Store, path: str, column: str
) -> None:
    run = a_run(store)
    store.begin()
    store.add_jobs([a_job(run, 7)])
    store.commit()
    store.close()
    with sqlite3.connect(path) as db:
        db.execute(f"UPDATE job SET {column} = 9")
    db.close()
    again = Store(path)
    with pytest.raises(StoreError, match=r"damaged \(the row of job 7\)"):
        list(again.live_jobs(run))
    again.close()


def test_an_environment_is_stored_once_per_content(store: Store) -> None:
    store.begin()
    first = store.add_environment('{"a": 1}')
    assert store.add_environment('{"a": 2}') != first
    assert store.add_environment('{"a": 1}') == first
    assert store.environment(first) == '{"a": 1}'
    assert store.environment(99) is None
    store.commit()


def test_a_reply_is_recorded_by_its_key(store: Store) -> None:
    assert store.recorded_reply("k") is None
    store.begin()
    store.record_reply("k", b"answer", 5.0)
    store.commit()
    assert store.recorded_reply("k") == b"answer"
    store.begin()
    store.forget_requests(6.0)
    store.commit()
    assert store.recorded_reply("k") is None


def test_values_come_back_as_they_went() -> None:
    assert resources_of(resources_text(RESOURCES)) == RESOURCES
    request = Request((3, 1 << 40))
    assert request_of(request_text(request)) == request
    held = Allocation(((0, 2), ()), (2, 1 << 40))
    assert allocation_of(allocation_text(held)) == held
    assert allocation_of(allocation_text(None)) is None
    shared = Request((3, 0), 2, 20 << 30)
    assert request_of(request_text(shared)) == shared
    held = Allocation(((0,), ()), (1, 0), (1, 3), 20 << 30)
    assert allocation_of(allocation_text(held)) == held


def test_only_what_was_promised_last_is_promised(store: Store, path: str) -> None:
    run = a_run(store)
    assert store.promised(run) == set()
    for jobs in ([job_id(1), job_id(2)], [job_id(2), job_id(3)]):
        store.begin()
        store.promise(run, jobs)
        store.commit()
    store.close()
    again = Store(path)
    assert again.promised(run) == {job_id(2), job_id(3)}
    assert again.promised(run + 1) == set()
    again.close()


def test_a_promise_that_cannot_be_read_is_damage(store: Store) -> None:
    store._db.execute("INSERT INTO promise VALUES (1, '[7]', 7)")
    with pytest.raises(StoreError, match="is damaged"):
        store.promised(1)


def test_environments_go_when_no_job_needs_them_any_more(store: Store) -> None:
    run = a_run(store)
    store.begin()
    numbers = [store.add_environment(f'{{"a": {i}}}') for i in range(4)]
    done = {"state": "done", "outcome": "succeeded"}
    jobs = [
        a_job(run, 1),
        a_job(run, 2, **done, ended_at=50.0),
        a_job(run, 3, **done, ended_at=150.0),
    ]
    store.add_jobs(
        job._replace(given=job.given._replace(environment=number))
        for job, number in zip(jobs, numbers, strict=False)
    )
    store.forget_environments(100.0)
    store.commit()
    left = [number for number in numbers if store.environment(number) is not None]
    assert left == [numbers[0], numbers[2]], "a live job's and a recent one's"
