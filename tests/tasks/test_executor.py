"""hsched.Executor: calls as jobs, with all that concurrent.futures promises."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, as_completed, wait
from pathlib import Path
from typing import Any

import joblib
import pytest

import hsched
from hsched.errors import JobFailed, NotRunning, WrongUsage
from hsched.tasks import TaskError
from hsched.tasks.joblib_backend import register
from tests.e2e.shell import DEADLINE_S, Shell


@pytest.fixture(scope="module")
def terminal() -> Iterator[Shell]:
    """One scheduler of 4 cores for all that leave it empty."""
    shared = Shell()
    try:
        shared.ok("hstart", "cores=4")
        yield shared
    finally:
        shared.close()


@pytest.fixture
def desk(terminal: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """That scheduler, which is this process' own as well."""
    for name in ("HOME", "TMPDIR"):
        monkeypatch.setenv(name, terminal.env[name])
    return terminal


@pytest.fixture
def pool(desk: Shell) -> Iterator[hsched.Executor]:
    """An executor whose calls hold one core."""
    with hsched.Executor("1") as executor:
        yield executor
    assert desk.jobs() == [], "nothing is left in the queue"
    left = list((desk.state / "default/current/payloads").glob("*"))
    assert left == [], "nor a file"


def divided(one: float, other: float) -> float:
    return one / other


def until(path: Path) -> None:
    """Return when there is a file."""
    deadline = time.monotonic() + DEADLINE_S
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def touch_and_sleep(path: Path) -> None:
    path.touch()
    time.sleep(1000)


def test_a_call_is_a_job_that_holds_its_slots_and_has_a_name(desk: Shell) -> None:
    here = os.getpid()
    with hsched.Executor("2", env={"WHO": "you"}) as pool:
        asked = pool.submit(lambda x, y: (x + y, os.environ["QUEUE0"], os.environ["WHO"]), 1, y=2)
        elsewhere = pool.submit(os.getpid)
        assert asked.result(DEADLINE_S) == (3, "0,1", "you")
        assert elsewhere.result(DEADLINE_S) != here
    job = desk.job(elsewhere.job_id)
    assert (job["name"], job["outcome"], job["allocation"]["cores"]["amount"]) == (
        "getpid",
        "succeeded",
        2,
    )


def test_an_exception_comes_back_with_the_traceback_from_there(pool: hsched.Executor) -> None:
    error = pool.submit(divided, 1, 0).exception(DEADLINE_S)
    assert isinstance(error, ZeroDivisionError)
    assert "in divided\n" in str(error.__cause__)
    assert "calls.py" not in str(error.__cause__), "our own frames tell the user nothing"


class Picky(Exception):
    """An exception that pickle cannot make again."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__(f"{one} and {other}")


def _raise_picky() -> None:
    raise Picky(1, 2)


def _exit(status: int) -> None:
    os._exit(status)


def _kill_self() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_whatever_ends_a_call_ends_its_future(pool: hsched.Executor) -> None:
    picky, status, killed, lock, left = (
        pool.submit(_raise_picky),
        pool.submit(_exit, 7),
        pool.submit(_kill_self),
        pool.submit(threading.Lock),
        pool.submit(sys.exit, 3),
    )
    with pytest.raises(JobFailed, match="Picky: 1 and 2"):
        picky.result(DEADLINE_S)
    with pytest.raises(JobFailed, match=f"job {status.job_id} .* exit status 7; see `hlog --err"):
        status.result(DEADLINE_S)
    with pytest.raises(JobFailed, match="killed by signal 9"):
        killed.result(DEADLINE_S)
    with pytest.raises(TaskError, match="the result cannot be pickled"):
        lock.result(DEADLINE_S)
    with pytest.raises(SystemExit, match="3"):
        left.result(DEADLINE_S)


def test_a_call_that_cannot_be_is_refused_at_once(pool: hsched.Executor) -> None:
    with pytest.raises(TaskError, match=r"the call of print cannot be pickled: its args"):
        pool.submit(print, threading.Lock())
    with pytest.raises(WrongUsage, match="there is cores=4"), hsched.Executor("9") as large:
        large.submit(print)
    with (
        pytest.raises(NotRunning, match="hstart -n nobody"),
        hsched.Executor("1", "nobody") as gone,
    ):
        gone.submit(print)


def test_a_pending_call_and_a_running_one_are_cancelled(desk: Shell, tmp_path: Path) -> None:
    with hsched.Executor("4") as pool:
        running = pool.submit(touch_and_sleep, tmp_path / "runs")
        pending = pool.submit(lambda: None)
        until(tmp_path / "runs")
        desk.until(running.running, "the future knows that it runs")
        assert not pending.running()
        assert pending.cancel()
        assert running.cancel()
        done, _ = wait([running, pending], timeout=0)
        assert done == {running, pending}, "who waits is woken"
        with pytest.raises(CancelledError):
            running.result(0)
        assert running.cancel(), "again is no error"
    assert desk.job(running.job_id)["outcome"] == "cancelled"
    assert desk.job(pending.job_id)["started_at"] is None
    after = hsched.Executor("1").submit(int, 3)
    assert after.result(DEADLINE_S) == 3
    assert not after.cancel(), "what is done stays done"


def test_a_job_that_a_person_kills_is_a_cancelled_future(
    desk: Shell, pool: hsched.Executor
) -> None:
    future = pool.submit(time.sleep, 1000)
    desk.ok("hkill", future.job_id)
    with pytest.raises(CancelledError):
        future.result(DEADLINE_S)


def test_map_keeps_the_order_shares_jobs_and_stops_at_an_error(
    desk: Shell, pool: hsched.Executor
) -> None:
    before = len(desk.jobs("--all"))
    found = pool.map(divided, range(10), [2] * 10, timeout=DEADLINE_S, chunksize=4)
    assert list(found) == [n / 2 for n in range(10)]
    assert len(desk.jobs("--all")) == before + 3
    failing = pool.map(divided, [1, 1, 1], [1, 0, 1], timeout=DEADLINE_S)
    assert next(failing) == 1
    with pytest.raises(ZeroDivisionError):
        next(failing)
    with pytest.raises(TimeoutError):
        list(pool.map(time.sleep, [1000], timeout=0.01))
    with pytest.raises(ValueError, match="chunksize"):
        pool.map(print, [1], chunksize=0)


def test_shutdown_without_waiting_lets_jobs_end_and_takes_no_more(desk: Shell) -> None:
    pool = hsched.Executor("4")
    first = pool.submit(int, "1")
    first.result(DEADLINE_S)
    running = pool.submit(time.sleep, 0.2)
    pending = pool.submit(int, "2")
    desk.until(running.running, "it runs")
    pool.shutdown(wait=False, cancel_futures=True)
    with pytest.raises(RuntimeError, match="after shutdown"):
        pool.submit(print)
    assert pending.cancelled()
    assert running.result(DEADLINE_S) is None
    pool.shutdown()


def test_asyncio_runs_functions_on_it_and_cancels_them(desk: Shell, pool: hsched.Executor) -> None:
    async def both() -> tuple[float, bool]:
        loop = asyncio.get_running_loop()
        value = await asyncio.wait_for(loop.run_in_executor(pool, divided, 3, 2), DEADLINE_S)
        sleeping = loop.run_in_executor(pool, time.sleep, 1000)
        sleeping.cancel()
        await asyncio.wait([sleeping], timeout=DEADLINE_S)
        return value, sleeping.cancelled()

    assert asyncio.run(both()) == (1.5, True)


def test_a_killed_broker_loses_no_future(desk: Shell, tmp_path: Path) -> None:
    with hsched.Executor("1") as pool:
        futures = [pool.submit(until, tmp_path / "go") for _ in range(2)]
        desk.until(futures[0].running, "one runs")
        desk.kill_broker()
        (tmp_path / "go").touch()
        assert [one.result(DEADLINE_S) for one in as_completed(futures, DEADLINE_S)] == [None] * 2


def test_joblib_runs_its_calls_as_jobs(desk: Shell) -> None:
    register()
    before = len(desk.jobs("--all"))
    with joblib.parallel_config("hsched", slots="2", n_jobs=-1):
        parallel = joblib.Parallel(batch_size=2)
        assert parallel(joblib.delayed(pow)(n, 2) for n in range(5)) == [0, 1, 4, 9, 16]
        with pytest.raises(ZeroDivisionError):
            joblib.Parallel()(joblib.delayed(divided)(1, n) for n in range(2))
    assert len(desk.jobs("--all")) >= before + 4
    assert desk.jobs() == []


SCRIPT = """
import os, hsched
class Point:
    def __init__(self, x): self.x = x
def twice(point): return Point(2 * point.x)
pool = hsched.Executor("1")
print(isinstance(pool.submit(twice, Point(4)).result(60), Point))
pool.submit(lambda: open("written", "w").write("by the last"))
"""


def test_a_script_ends_after_its_last_call(shell: Shell) -> None:
    shell.ok("hstart", "1")
    assert shell.ok(sys.executable, "-c", SCRIPT) == "True"
    assert (shell.folder / "written").read_text() == "by the last"


def test_a_stopped_scheduler_ends_all_futures(shell: Shell) -> None:
    code = """
import hsched, subprocess, sys, time
pool = hsched.Executor("1")
futures = [pool.submit(time.sleep, 1000) for _ in range(2)]
subprocess.run(["hstop", "--force"], check=True, stdout=subprocess.DEVNULL)
for one in futures:
    try: one.result(60)
    except BaseException as error: print(type(error).__name__)
"""
    shell.ok("hstart", "1")
    assert shell.ok(sys.executable, "-c", code).split() == ["CancelledError"] * 2


def test_importing_hsched_imports_no_pickles() -> None:
    names: Any = hsched.__all__
    assert "Executor" in names
    code = "import sys, hsched; print('cloudpickle' in sys.modules, 'concurrent' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["False", "False"]
