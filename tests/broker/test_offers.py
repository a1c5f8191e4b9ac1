"""Offers: who takes the next job in line, what it gets, and what is told of it."""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from hsched.broker import shims as shims_module
from hsched.broker import taken
from hsched.broker.records import Records
from hsched.broker.shim import LONGEST_PLAN
from hsched.native.plan import (
    Own,
    Plan,
    Streams,
    encode_own,
    encode_plan,
    encode_shared,
    job_id_of,
)
from hsched.native.record import Exited, Signalled, read_record
from tests.broker.test_shims import World, _id, program, world
from tests.e2e.shell import state_of
from tests.shim.harness import until

__all__ = ["program", "world"]

#: Runs until it is told to end.
WAITS = b"while [ ! -e go ]; do sleep 0.01; done"


def plan(
    world: World,
    number: int,
    line: bytes,
    *,
    holds: str | None = "1",
    slots: dict[bytes, bytes] | None = None,
    **more: Any,
) -> Plan:
    """Return the plan of a job that may come after, or before, another."""
    return Plan(
        job_id=str(number),
        cwd=os.fsencode(world.folder),
        shell=line,
        holds=holds,
        slots=slots or {},
        **more,
    )


def start(world: World, number: int, line: bytes = WAITS, **more: object) -> int:
    """Start a job on slot 3 of QUEUE0; return its shim."""
    more.setdefault("slots", {b"QUEUE0": b"3"})
    world.shims.prepare(_id(number), 1, plan(world, number, line, **more))  # type: ignore[arg-type]
    return world.go(number)


def offer(
    world: World, number: int, line: bytes = b"echo ran >> log", holds: str = "1", **more: Any
) -> None:
    """Lay out a job."""
    shared = encode_shared(plan(world, number, line, holds=holds, **more))
    own = Own(str(number), Streams(None, None, None), {}, f"{number}-1")
    world.shims.offer(_id(number), 1, encode_own(own) + shared)


def end(world: World) -> None:
    """Let the jobs that wait end."""
    (world.folder / "go").touch()


def take(world: World) -> int:
    """Take the first offer as a shim does, and return the descriptor of its record."""
    _, descriptors, _, _ = socket.recv_fds(world.shims.offers._shims, 64, 1)
    return descriptors[0]


def sign(record: int, shim: int) -> None:
    """Write what a shim does into the record of job 2, which it takes."""
    os.pwrite(record, f"started v1 {shim} 1 {'0' * 36} 2-1\n".encode(), 0)


def kill_taker(world: World) -> None:
    """Let the shim of job 1 take job 2, and be killed before it told."""
    shim = start(world, 1)
    offer(world, 2)
    record = take(world)
    sign(record, shim)
    os.kill(shim, signal.SIGKILL)
    os.close(record)


def test_the_shim_whose_job_ends_goes_on_with_the_next_in_line(world: World) -> None:
    shim = start(world, 1)
    offer(world, 2, b"echo $QUEUE0 > slots; " + WAITS.replace(b"go", b"on") + b"; exit 7")
    end(world)
    world.until_over(1)
    assert world.followers == {"1-1": "2-1"}
    assert world.shims.pid_of(_id(2)) == shim
    (world.folder / "on").touch()
    world.until_over(2)
    record = world.told["2-1"]
    assert record is not None
    assert isinstance(record.ending, Exited)
    assert record.ending.status == 7
    assert record.started is not None
    assert record.started.name == "2-1"
    assert (world.folder / "slots").read_text() == "3\n"


def test_each_has_its_own_limits_and_score(world: World) -> None:
    line = b"echo $(ulimit -n) $(ulimit -Hn) $(cat /proc/self/oom_score_adj) >> log"
    theirs = resource.getrlimit(resource.RLIMIT_NOFILE)
    number = resource.RLIMIT_NOFILE
    start(world, 1, WAITS + b"; " + line, limits=[(number, 64, 65)], oom_score_adj=300)
    offer(world, 2, line, limits=[(number, *theirs)], oom_score_adj=400)
    offer(world, 3, line, limits=[(number, 66, theirs[1])], oom_score_adj=300)
    end(world)
    world.until_over(3)
    lines = (world.folder / "log").read_text().splitlines()
    assert lines == ["64 65 300", f"{theirs[0]} {theirs[1]} 400", f"66 {theirs[1]} 300"]


def test_several_follow_in_the_order_in_which_they_were_laid_out(world: World) -> None:
    start(world, 1)
    for number in (4, 2, 3):
        offer(world, number, b"echo %d >> log" % number)
    end(world)
    world.until_over(3)
    assert world.followers == {"1-1": "4-1", "4-1": "2-1", "2-1": "3-1"}
    assert (world.folder / "log").read_text().split() == ["4", "2", "3"]


@pytest.mark.parametrize("holds", ["2", None])
def test_who_asked_for_something_else_does_not_take_it(world: World, holds: str | None) -> None:
    start(world, 1, holds=holds)
    offer(world, 2)
    end(world)
    world.until_over(1)
    assert not world.followers
    world.shims.withdraw()
    assert world.shims.offers.ids == []
    assert not (world.folder / "log").exists()


def test_what_was_taken_back_is_not_started(world: World) -> None:
    start(world, 1)
    offer(world, 2)
    offer(world, 3)
    world.shims.withdraw()
    assert world.shims.offers.ids == []
    end(world)
    world.until_over(1)
    assert not world.followers
    assert not (world.folder / "log").exists()


def test_what_was_taken_is_heard_of_before_anything_else_happens(world: World) -> None:
    start(world, 1)
    start(world, 2, b"sleep 1000", holds="2")
    offer(world, 3, WAITS.replace(b"go", b"on"))
    end(world)
    until(lambda: _has(world, b" 3-1\n"), "it began")
    world.shims.withdraw()
    assert world.followers == {"1-1": "3-1"}
    (world.folder / "on").touch()
    world.until_over(3)
    os.kill(world.shims.pid_of(_id(2)) or 0, signal.SIGKILL)
    world.until_over(2)


def _has(world: World, line: bytes) -> bool:
    return any(line in path.read_bytes() for path in world.records.iterdir())


def test_a_signal_for_the_job_that_is_over_does_not_reach_the_next(world: World) -> None:
    shim = start(world, 1)
    until(lambda: _children(shim) != [], "it runs")
    os.kill(shim, signal.SIGSTOP)
    (child,) = _children(shim)
    os.kill(child, signal.SIGKILL)
    os.kill(shim, 33 + signal.SIGTERM)
    offer(world, 2, b"sleep 0.05; echo ran >> log")
    os.kill(shim, signal.SIGCONT)
    world.until_over(2)
    first, second = world.told["1-1"], world.told["2-1"]
    assert first is not None
    assert second is not None
    assert isinstance(first.ending, Signalled)
    assert isinstance(second.ending, Exited)


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_shim_that_was_killed_before_it_wrote_has_not_begun_it(world: World) -> None:
    start(world, 1)
    offer(world, 2)
    os.close(take(world))
    world.shims.withdraw()
    assert world.shims.offers.ids == []
    assert not world.followers
    end(world)
    world.until_over(1)


def test_one_that_was_killed_before_it_told_may_have_begun_it(world: World) -> None:
    kill_taker(world)
    world.shims.withdraw()
    assert world.followers == {"1-1": "2-1"}
    world.until_over(2)
    assert world.told["2-1"] is None


def test_its_end_alone_tells_that_it_had_taken_one(world: World) -> None:
    """Its job runs, or has run: nobody starts it again."""
    kill_taker(world)
    world.until_over(2)
    assert world.followers == {"1-1": "2-1"}
    assert world.told["2-1"] is None


def test_one_that_was_killed_and_left_no_record_is_not_waited_for(world: World) -> None:
    kill_taker(world)
    for path in world.records.iterdir():
        path.unlink()
    world.shims.withdraw()
    assert world.followers == {"1-1": "2-1"}
    world.until_over(2)


def test_one_that_waits_for_the_disk_is_not_waited_for(world: World) -> None:
    shim = start(world, 1)
    offer(world, 2)
    with open(take(world), "r+b", buffering=0) as record:
        sign(record.fileno(), shim)
        world.shims.withdraw()
        assert world.followers == {"1-1": "2-1"}
        assert world.shims.pid_of(_id(2)) == shim
    os.kill(shim, signal.SIGKILL)
    world.until_over(2)


def test_what_was_taken_is_known_where_somebody_removed_the_records(world: World) -> None:
    start(world, 1)
    offer(world, 2, WAITS.replace(b"go", b"on"))
    for path in world.records.iterdir():
        path.unlink()
    end(world)
    world.until_over(1)
    assert world.followers == {"1-1": "2-1"}
    (world.folder / "on").touch()
    world.until_over(2)


def test_one_that_is_stuck_while_it_takes_one_is_ended(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shims_module, "CHOICE_S", 0.0)
    shim = start(world, 1)
    other = start(world, 2)
    offer(world, 3)
    record = take(world)
    until(lambda: b"\ncommand " in Path(world.path(1)).read_bytes().replace(b"\0", b""), "it runs")
    with open(world.path(1), "r+b") as file:
        file.seek(128)
        file.write(b"choosing\n")
    pidfd = os.pidfd_open(shim)
    os.kill(shim, signal.SIGSTOP)
    until(lambda: _state(pidfd) == "T", "it is stopped")

    def let_go_with_it() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        until(lambda: _is_dead(pidfd), "the stuck one is killed")
        os.close(record)

    thread = threading.Thread(target=let_go_with_it)
    thread.start()
    world.shims.withdraw()
    thread.join()
    os.close(pidfd)
    assert not world.followers
    assert Path(f"/proc/{other}").exists()
    end(world)
    world.until_over(2)


def _is_dead(pidfd: int) -> bool:
    try:
        signal.pidfd_send_signal(pidfd, 0)
    except ProcessLookupError:
        return True
    return _state(pidfd) == "Z"


def _state(pidfd: int) -> str:
    (pid,) = (
        line.split()[1]
        for line in Path(f"/proc/self/fdinfo/{pidfd}").read_text().splitlines()
        if line.startswith("Pid:")
    )
    return state_of(int(pid))


def test_what_is_too_long_for_a_shim_is_not_laid_out(world: World) -> None:
    with pytest.raises(OSError, match="so long a plan"):
        offer(world, 1, b"x" * LONGEST_PLAN)
    assert os.listdir(world.records) == []


def test_the_next_broker_waits_until_nobody_is_taking_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = tmp_path / "1-1", tmp_path / "offer-1"
    path.write_bytes(bytes(128) + b"choosing\n".ljust(384, b"\0"))
    other.write_bytes(bytes(512))
    with open(path, "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)

        def choose(_: float) -> None:
            other.write_bytes(b"started v1 7 8 0-0 2-1\n".ljust(512, b"\0"))
            path.write_bytes(bytes(128) + b"chosen\n".ljust(384, b"\0"))

        monkeypatch.setattr(time, "sleep", choose)
        assert list(taken.find(str(tmp_path))) == ["2-1"]


def test_who_followed_whom_is_told_by_the_shim_and_the_time(tmp_path: Path) -> None:
    def record(pid: int, name: str, ended_at: int | None) -> bytes:
        started = f"started v1 {pid} 5 0-0{name}\n".encode().ljust(192, b"\0")
        ending = b"" if ended_at is None else f"exited 0 1 1 {ended_at} 0\n".encode()
        return (started + ending).ljust(512, b"\0")

    for entry, content in {
        "offer-1": record(7, " 30-1", None),
        "offer-2": record(7, " 20-1", 2000),
        "offer-3": record(8, " 40-1", None),
    }.items():
        (tmp_path / entry).write_bytes(content)
    before = {_id(1): read_record(record(7, "", 1000)), _id(2): read_record(record(9, "", 1000))}
    behind = taken.followers(before, taken.find(str(tmp_path)).values())
    followers = {one: offer.job_id for one, offer in behind.items()}
    assert followers == {_id(1): _id(20), _id(20): _id(30)}


def test_records_without_a_name_are_given_to_one_at_a_time(tmp_path: Path) -> None:
    pool = Records(str(tmp_path))
    first, one = pool.take_any()
    second, two = pool.take_any()
    assert first != second
    os.close(one)
    pool.spent(first)
    again, three = pool.take_any()
    assert again == first
    assert set(os.listdir(tmp_path)) == {os.path.basename(one) for one in (first, second)}
    os.close(two)
    os.close(three)


def test_a_plan_tells_whose_it_is_by_its_beginning() -> None:
    encoded = encode_plan(Plan(job_id="12.3", cwd=b"/", argv=(b"true",)))
    assert job_id_of(encoded[:64]) == "12.3"
