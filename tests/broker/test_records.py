"""The records of a run: empty when they are taken, and one for each job that holds one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hsched.broker import records
from hsched.broker.records import _SPARES, Records
from hsched.core.model import job_id
from hsched.native.record import RECORD_SIZE

EMPTY = bytes(RECORD_SIZE)


@pytest.fixture
def pool(tmp_path: Path) -> Records:
    return Records(str(tmp_path))


def path(pool: Records, number: int) -> str:
    return pool.path(job_id(number), 1)


def write_and_end(pool: Records, number: int) -> None:
    """Have a job that wrote its ending, which is on disk."""
    descriptor = pool.take(path(pool, number))
    os.pwrite(descriptor, b"exited 0 1 1 1 0\n", 192)
    os.close(descriptor)
    pool.spent(path(pool, number))


def test_a_record_is_empty_and_held_when_it_is_taken(pool: Records) -> None:
    descriptor = pool.take(path(pool, 1))
    assert os.pread(descriptor, 1000, 0) == EMPTY
    assert records.is_held(path(pool, 1))
    os.close(descriptor)
    assert not records.is_held(path(pool, 1))


def test_the_record_of_a_job_that_is_done_becomes_that_of_a_later_one(
    pool: Records, tmp_path: Path
) -> None:
    write_and_end(pool, 1)
    inode = os.stat(path(pool, 1)).st_ino
    os.close(pool.take(path(pool, 2)))
    assert os.listdir(tmp_path) == ["2-1"]
    assert os.stat(path(pool, 2)).st_ino == inode
    assert Path(path(pool, 2)).read_bytes() == EMPTY


def test_a_record_that_somebody_holds_is_left_to_him(pool: Records) -> None:
    descriptor = pool.take(path(pool, 1))
    pool.spent(path(pool, 1))
    os.close(pool.take(path(pool, 2)))
    assert os.path.samestat(os.fstat(descriptor), os.stat(path(pool, 1)))
    os.close(descriptor)


def test_what_a_start_takes_again_is_given_to_nobody_else(pool: Records) -> None:
    write_and_end(pool, 1)
    write_and_end(pool, 2)
    pool.sweep(set())  # both were left by a broker that was killed
    ones = pool.take(path(pool, 1))
    os.close(pool.take(path(pool, 3)))
    os.close(pool.take(path(pool, 4)))
    assert os.path.samestat(os.fstat(ones), os.stat(path(pool, 1)))
    os.close(ones)


def test_a_sweep_removes_what_nobody_needs(pool: Records, tmp_path: Path) -> None:
    """What it left for another would have the name of a job that is yet to start."""
    for number in (1, 2):
        os.close(pool.take(path(pool, number)))
    pool.sweep({path(pool, 1)})
    assert os.listdir(tmp_path) == ["1-1"]
    os.close(pool.take(path(pool, 3)))
    assert sorted(os.listdir(tmp_path)) == ["1-1", "3-1"]


def test_no_more_are_kept_than_are_of_use(pool: Records, tmp_path: Path) -> None:
    taken = range(1, 2 * _SPARES)
    for number in taken:
        os.close(pool.take(path(pool, number)))
    for number in taken:
        pool.spent(path(pool, number))
    assert len(os.listdir(tmp_path)) == _SPARES
    pool.forget_spares()
    assert os.listdir(tmp_path) == []


def test_where_there_is_no_folder_nothing_is_left_open(tmp_path: Path) -> None:
    before = os.listdir("/proc/self/fd")
    with pytest.raises(FileNotFoundError):
        Records(str(tmp_path / "gone")).take(str(tmp_path / "gone" / "1-1"))
    assert os.listdir("/proc/self/fd") == before
