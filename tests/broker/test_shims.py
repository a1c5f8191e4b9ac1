"""The shims of a broker: which job gets the shim of one that has ended, and which does not."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hsched.broker import records
from hsched.broker.offers import Offer
from hsched.broker.shim import LONGEST_PLAN
from hsched.broker.shims import Shims
from hsched.broker.waker import Waker
from hsched.core.model import JobId, job_id
from hsched.native.build_hook import compile_shim
from hsched.native.plan import Plan
from hsched.native.record import Exited, Record
from tests.shim.harness import is_alive, no_process_left_behind, until

DEADLINE_S = 60


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    given = os.environ.get("HSCHED_SHIM", "")
    if "/" in given:
        return given
    target = tmp_path_factory.mktemp("shims") / "hsched-shim"
    if not compile_shim(target):
        pytest.skip("no C compiler")
    return str(target)


class World:
    """Shims with a waker, and what they have told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.records = folder / "records"
        self.records.mkdir()
        self.waker = Waker()
        self.shims = Shims(str(self.records), self.waker)
        self.shims.over = self._over
        self.told: dict[str, Record | None] = {}
        self.followers: dict[str, str] = {}

    def _over(self, job_id: JobId, path: str, record: Record | None, offer: Offer | None) -> None:
        self.told[records.name(job_id, 1)] = record
        if offer is not None:
            self.followers[records.name(job_id, 1)] = records.name(offer.job_id, offer.attempt)

    def path(self, number: int) -> str:
        return str(self.records / f"{number}-1")

    def prepare(self, number: int, line: bytes = b"echo ran >> log", **more: Any) -> None:
        plan = Plan(job_id=str(number), cwd=os.fsencode(self.folder), shell=line)
        self.shims.prepare(_id(number), 1, replace(plan, **more))

    def start(self, number: int, line: bytes = b"echo ran >> log") -> int:
        """Start a job; return the process that holds it."""
        self.prepare(number, line)
        return self.go(number)

    def go(self, number: int) -> int:
        self.shims.start(_id(number))
        pid = self.shims.pid_of(_id(number))
        assert pid is not None
        return pid

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline, (self.told, self.shims.pids)
            self.waker.sleep(1)

    def until_over(self, number: int) -> None:
        self.until(lambda: f"{number}-1" in self.told)

    def turn(self, number: int) -> None:
        """Have a job end, its end come to the disk, and nothing start."""
        self.until_over(number)
        self.shims.spent(self.path(number))
        self.shims.turn_over()
        self.until(lambda: not self.shims.pids)

    def close(self) -> None:
        self.waker._epoll.close()
        os.close(signal.set_wakeup_fd(-1))
        os.close(self.waker._signals)

    @property
    def runs(self) -> int:
        return len((self.folder / "log").read_text().split())


def _id(number: int) -> JobId:
    return job_id(number)


@pytest.fixture
def world(program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("HSCHED_SHIM", program)
    with no_process_left_behind():
        world = World(tmp_path)
        yield world
        world.shims.turn_over()
        world.shims.forget_all()
        world.close()


def test_a_job_that_starts_where_one_has_ended_gets_its_shim_and_record(world: World) -> None:
    first = world.start(1)
    world.until_over(1)
    assert _id(1) not in world.shims
    world.prepare(2, b"exit 7")
    world.shims.spent(world.path(1))
    second = world.go(2)
    world.shims.turn_over()
    assert second == first
    assert os.listdir(world.records) == ["2-1"]
    world.turn(2)
    record = world.told["2-1"]
    assert record is not None
    assert isinstance(record.ending, Exited)
    assert record.ending.status == 7
    assert world.runs == 1


def test_a_shim_that_no_job_needs_is_gone_after_the_turn(world: World) -> None:
    pid = world.start(1)
    world.turn(1)
    assert not os.path.exists(f"/proc/{pid}"), "nor is a zombie left"


def test_before_its_end_is_on_disk_a_job_keeps_its_record(world: World) -> None:
    pid = world.start(1)
    world.until_over(1)
    kept = Path(world.path(1)).read_bytes()
    world.prepare(2)
    world.shims.cancel()  # there was no room on the disk
    world.until(lambda: not world.shims.pids)
    assert Path(world.path(1)).read_bytes() == kept
    assert not is_alive(pid)
    assert world.runs == 1


def test_a_shim_that_was_signalled_gets_no_other_job(world: World) -> None:
    first = world.start(1, b"sleep 1000")
    world.shims.signal(_id(1), signal.SIGKILL)
    world.until_over(1)
    world.prepare(2)
    world.shims.spent(world.path(1))
    assert world.go(2) != first
    world.turn(2)
    assert world.runs == 1


def test_a_plan_that_fits_no_message_gets_a_shim_of_its_own(world: World) -> None:
    first = world.start(1)
    world.until_over(1)
    world.prepare(2, environment={b"LONG": b"x" * LONGEST_PLAN})
    world.shims.spent(world.path(1))
    assert world.go(2) != first
    world.turn(2)
    assert world.runs == 2


def test_the_longest_plan_that_is_handed_on_fits_a_message(world: World) -> None:
    first = world.start(1)
    world.until_over(1)
    world.prepare(2, environment={b"LONG": b"x" * (LONGEST_PLAN - 1000)})
    world.shims.spent(world.path(1))
    assert world.go(2) == first
    world.turn(2)
    assert world.runs == 2


def test_where_a_resting_shim_is_killed_the_job_gets_another(world: World) -> None:
    first = world.start(1)
    world.until_over(1)
    world.prepare(2)
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    world.shims.spent(world.path(1))
    assert world.go(2) != first
    world.turn(2)
    assert world.runs == 2
    assert list(world.told) == ["1-1", "2-1"], "each end is told once"


def test_more_jobs_than_have_ended_start_in_one_turn(world: World) -> None:
    first = world.start(1)
    world.until_over(1)
    for number in (2, 3, 4):
        world.prepare(number)
    world.shims.spent(world.path(1))
    pids = [world.go(number) for number in (2, 3, 4)]
    assert pids.count(first) == 1
    for number in (2, 3, 4):
        world.until_over(number)
        world.shims.spent(world.path(number))
    world.shims.turn_over()
    world.until(lambda: not world.shims.pids)
    assert world.runs == 4


def test_a_shim_whose_job_leaves_processes_ends_with_it(world: World) -> None:
    world.prepare(1, b"sleep 1000 & echo $! > pid", leave_children=True)
    world.go(1)
    world.until_over(1)
    assert world.told["1-1"] is None, "its file tells"
    left = int((world.folder / "pid").read_text())
    assert left not in world.shims.orphans()
    os.kill(left, signal.SIGKILL)


def test_a_killed_shim_is_told_of(world: World) -> None:
    pid = world.start(1, b"sleep 1000")
    until(lambda: b"command" in Path(world.path(1)).read_bytes(), "its command")
    os.kill(pid, signal.SIGKILL)
    world.until_over(1)
    assert world.told["1-1"] is None
    (orphan,) = world.shims.orphans()
    os.kill(orphan, signal.SIGKILL)
    os.waitpid(orphan, 0)


def test_when_the_broker_goes_resting_shims_end_and_others_go_on(world: World) -> None:
    resting, busy = world.start(1), world.start(2, b"sleep 1000")
    world.until_over(1)
    world.shims.spent(world.path(1))
    world.shims.forget_all()
    until(lambda: not is_alive(resting), "the end of the one that rests")
    assert is_alive(busy)
    os.kill(busy, signal.SIGKILL)
    until(lambda: not is_alive(busy), "the end of the other")
