"""The nursery: shims that wait for a word, and what happens where somebody kills it."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hsched.broker.nursery import _UNREAD, Born, Nursery, NurseryLostError
from hsched.broker.offers import Offers
from hsched.native.build_hook import compile_shim
from hsched.native.plan import Plan, encode_plan
from hsched.native.record import RECORD_SIZE, Exited, Record, SpawnFailed, read_record
from tests.shim.harness import is_alive, no_process_left_behind, until

Prepare = Callable[..., Path]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    given = os.environ.get("HSCHED_SHIM", "")
    if "/" in given:
        return given
    target = tmp_path_factory.mktemp("nursery") / "hsched-shim"
    if not compile_shim(target):
        pytest.skip("no C compiler")
    return str(target)


@pytest.fixture
def nursery(program: str) -> Iterator[Nursery]:
    with no_process_left_behind():
        offers = Offers()
        nursery = Nursery(program, offers.for_shims)
        yield nursery
        nursery.close()
        offers.close()


@pytest.fixture
def prepare(nursery: Nursery, tmp_path: Path) -> Prepare:
    """Prepare a job, which runs a shell line; return the path of its record."""

    def prepared(job_id: str, line: bytes = b"echo ran >> log") -> Path:
        plan = os.memfd_create("plan")
        path = tmp_path / f"record-{job_id}"
        path.write_bytes(bytes(RECORD_SIZE))
        record = os.open(path, os.O_RDWR)
        fcntl.flock(record, fcntl.LOCK_EX)
        try:
            os.write(plan, encode_plan(Plan(job_id=job_id, cwd=bytes(tmp_path), shell=line)))
            nursery.prepare(job_id, plan, record)
        finally:
            os.close(plan)
            os.close(record)
        return path

    return prepared


def _wait(shim: Born) -> int:
    """Wait for the end of a shim that gets no other job."""
    assert shim.line is not None
    shim.line.close()
    return os.waitstatus_to_exitcode(os.waitpid(shim.pid, 0)[1])


def _told(shim: Born) -> Record:
    assert shim.line is not None
    return read_record(shim.line.recv(RECORD_SIZE))


def _runs(folder: Path) -> int:
    log = folder / "log"
    return len(log.read_text().split()) if log.exists() else 0


def test_a_shim_is_our_child_and_runs_its_job(
    nursery: Nursery, prepare: Prepare, tmp_path: Path
) -> None:
    record = prepare("7")
    assert _wait(nursery.go("7")) == 0
    assert _runs(tmp_path) == 1
    assert read_record(record.read_bytes()).ending


def test_ps_shows_the_shim_with_its_job(nursery: Nursery, prepare: Prepare) -> None:
    prepare("7.3", b"sleep 1000")
    shim = nursery.go("7.3")
    title = Path(f"/proc/{shim.pid}/cmdline")
    until(lambda: title.read_bytes().rstrip(b"\0") == b"hsched-shim 7.3", "its title")
    os.kill(shim.pid, signal.SIGKILL)
    _wait(shim)


def test_what_was_not_told_to_go_leaves_no_trace(
    nursery: Nursery, prepare: Prepare, tmp_path: Path
) -> None:
    cancelled = prepare("1")
    nursery.cancel()
    prepare("2")
    assert _wait(nursery.go("2")) == 0
    until(lambda: os.waitpid(-1, os.WNOHANG)[0], "the end of the shim that was cancelled")
    assert _runs(tmp_path) == 1
    assert cancelled.read_bytes() == bytes(RECORD_SIZE)


def test_a_shim_whose_broker_is_gone_before_the_word_leaves_no_trace(
    program: str, prepare: Prepare, nursery: Nursery, tmp_path: Path
) -> None:
    broker = os.fork()
    if broker == 0:
        prepare("1")
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(broker, 0)
    with (tmp_path / "record-1").open("rb") as record:
        fcntl.flock(record, fcntl.LOCK_EX)  # comes when the shim lets go
        assert record.read() == bytes(RECORD_SIZE)
    assert _runs(tmp_path) == 0


def test_more_than_the_socket_holds_can_be_prepared_in_one_go(
    nursery: Nursery, prepare: Prepare, tmp_path: Path
) -> None:
    names = [str(number) for number in range(4 * _UNREAD)]
    for name in names:
        prepare(name)
    shims = [nursery.go(name) for name in names]
    assert {_wait(shim) for shim in shims} == {0}
    assert _runs(tmp_path) == len(names)


def test_a_killed_nursery_is_told_of_and_has_started_nothing(
    nursery: Nursery, prepare: Prepare, tmp_path: Path
) -> None:
    prepare("1")
    assert nursery.pid is not None
    os.kill(nursery.pid, signal.SIGSTOP)
    prepare("2")
    os.kill(nursery.pid, signal.SIGKILL)
    with pytest.raises(NurseryLostError):
        nursery.go("2")
    assert _runs(tmp_path) == 0
    prepare("2")
    assert _wait(nursery.go("2")) == 0, "there is a new one"
    assert _runs(tmp_path) == 1


def test_no_room_for_descriptors_is_an_error_of_that_job_alone(
    nursery: Nursery, prepare: Prepare, tmp_path: Path
) -> None:
    prepare("1")
    assert _wait(nursery.go("1")) == 0
    assert nursery.pid is not None
    _, hard = resource.prlimit(nursery.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(nursery.pid, resource.RLIMIT_NOFILE, (6, hard))
    prepare("2")
    with pytest.raises(OSError, match="Too many open files"):
        nursery.go("2")
    assert len(os.listdir(f"/proc/{nursery.pid}/fd")) == 5, "none of them was kept"
    resource.prlimit(nursery.pid, resource.RLIMIT_NOFILE, (hard, hard))
    prepare("3")
    assert _wait(nursery.go("3")) == 0
    assert _runs(tmp_path) == 2


def test_the_nursery_ends_with_the_broker_and_its_jobs_go_on(
    nursery: Nursery, prepare: Prepare
) -> None:
    prepare("1", b"sleep 1000")
    shim = nursery.go("1")
    pid = nursery.pid
    assert pid is not None
    nursery.close()
    until(lambda: not is_alive(pid), "the end of the nursery")
    assert is_alive(shim.pid)
    os.kill(shim.pid, signal.SIGKILL)
    _wait(shim)


def _next_plan(folder: Path, job_id: str, line: bytes) -> bytes:
    """Empty the record, as a broker does, and return the plan of another job."""
    (folder / "record-1").write_bytes(bytes(RECORD_SIZE))
    return encode_plan(Plan(job_id=job_id, cwd=bytes(folder), shell=line))


def test_a_shim_holds_one_job_after_another(
    nursery: Nursery, prepare: Prepare, tmp_path: Path
) -> None:
    record = prepare("1", b"echo $$ >> log; exit 3")
    shim = nursery.go("1")
    assert shim.line is not None
    told = _told(shim)
    assert told == read_record(record.read_bytes()), "it tells its record"
    assert isinstance(told.ending, Exited)
    assert told.ending.status == 3
    for number in range(2, 5):
        shim.line.send(_next_plan(tmp_path, str(number), b"echo $$ >> log"))
        told = _told(shim)
        assert isinstance(told.ending, Exited)
        assert told.ending.status == 0
        assert told.started is not None
        assert told.started.pid == shim.pid
        assert Path(f"/proc/{shim.pid}/cmdline").read_bytes().rstrip(b"\0").endswith(b"%d" % number)
    assert _wait(shim) == 0
    assert len(set((tmp_path / "log").read_text().split())) == 4, "each job is a process of its own"


def test_what_one_job_has_used_is_not_counted_for_the_next(
    nursery: Nursery, prepare: Prepare, tmp_path: Path
) -> None:
    prepare("1", b"exec python3 -c 'b = bytearray(200_000_000); sum(range(3_000_000))'")
    shim = nursery.go("1")
    assert shim.line is not None
    much = _told(shim).ending
    shim.line.send(_next_plan(tmp_path, "2", b":"))
    little = _told(shim).ending
    assert isinstance(much, Exited)
    assert isinstance(little, Exited)
    assert much.usage.max_rss_kb > 190_000
    assert little.usage.max_rss_kb < 50_000
    assert little.usage.cpu_us < much.usage.cpu_us
    _wait(shim)


def test_a_plan_that_makes_no_sense_ends_a_shim_that_rests(
    nursery: Nursery, prepare: Prepare, tmp_path: Path
) -> None:
    record = prepare("1")
    shim = nursery.go("1")
    assert shim.line is not None
    _told(shim)
    record.write_bytes(bytes(RECORD_SIZE))
    shim.line.send(b"plan=2\0")
    assert shim.line.recv(RECORD_SIZE) == b""
    assert read_record(record.read_bytes()).ending == SpawnFailed(errno.EINVAL, "plan")
    assert _wait(shim) == 0
    assert _runs(tmp_path) == 1


def test_signals_to_a_shim_that_rests_do_not_meet_its_next_job(
    nursery: Nursery, prepare: Prepare, tmp_path: Path
) -> None:
    prepare("1")
    shim = nursery.go("1")
    assert shim.line is not None
    _told(shim)
    os.kill(shim.pid, signal.SIGTERM)
    shim.line.send(_next_plan(tmp_path, "2", b"sleep 0.1; exit 4"))
    ending = _told(shim).ending
    assert isinstance(ending, Exited)
    assert ending.status == 4
    _wait(shim)
