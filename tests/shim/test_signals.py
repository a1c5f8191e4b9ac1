"""What a signal to the shim does."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest

from hsched.native.record import Exited, Left, Signalled
from tests.shim.harness import ASK, UNTIL_GO, Held, Spawner, is_alive, until

#: Writes the name of each signal it gets into a file of its own; its child does so too.
LISTEN = """
import os, signal, time
def note(number, frame):
    with open(f"got-{number}-{os.getpid()}", "a") as file: file.write("x")
for number in set(range(1, 32)) - {9, 17, 18, 19}:
    signal.signal(number, note)
os.fork()
os.fork() or os.setsid()
open(f"ready-{os.getpid()}", "w")
while True: time.sleep(0.05)  # short: a signal just before a sleep is seen after it
"""


def listen(shim: Spawner) -> Held:
    import sys

    held = shim.start(sys.executable, "-I", "-S", "-c", LISTEN)
    until(lambda: len(list(shim.folder.glob("ready-*"))) == 4, "four listeners")
    return held


def deliveries(shim: Spawner) -> list[tuple[str, str]]:
    """Return the number of a signal and one x for each time, for each process that got it."""
    return [(path.name.split("-")[1], path.read_text()) for path in shim.folder.glob("got-*")]


def states(held: Held) -> set[str]:
    return {process.status() for process in psutil.Process(held.pid).children(recursive=True)}


@pytest.mark.parametrize("number", [1, 2, 3, 10, 15, 28, 31])
def test_a_signal_reaches_each_process_once(shim: Spawner, number: int) -> None:
    held = listen(shim)
    held.ask(number)
    until(lambda: deliveries(shim) == [(str(number), "x")] * 4, "four deliveries")
    held.ask(signal.SIGKILL)
    held.wait()
    assert deliveries(shim) == [(str(number), "x")] * 4


def test_stop_and_continue(shim: Spawner) -> None:
    held = listen(shim)
    held.ask(signal.SIGSTOP)
    until(lambda: states(held) == {psutil.STATUS_STOPPED}, "all to stop")
    held.ask(signal.SIGCONT)
    until(lambda: psutil.STATUS_STOPPED not in states(held), "all to go on")
    held.ask(signal.SIGKILL)
    held.wait()


def test_kill(shim: Spawner) -> None:
    held = listen(shim)
    tree = psutil.Process(held.pid).children(recursive=True)
    held.ask(signal.SIGKILL)
    ending = held.wait().ending
    assert isinstance(ending, Signalled)
    assert ending.signal == signal.SIGKILL
    assert not any(is_alive(process.pid) for process in tree)


def test_a_stopped_tree_can_be_killed(shim: Spawner) -> None:
    held = listen(shim)
    held.ask(signal.SIGSTOP)
    held.ask(signal.SIGKILL)
    assert isinstance(held.wait().ending, Signalled)


def test_term_ends_the_tree_by_term(shim: Spawner) -> None:
    held = shim.start("sh", "-c", "sleep 60 & sleep 60")
    held.until_running()
    os.kill(held.pid, signal.SIGTERM)
    ending = held.wait().ending
    assert isinstance(ending, Signalled)
    assert ending.signal == signal.SIGTERM


def test_term_ends_a_stopped_tree(shim: Spawner) -> None:
    held = shim.start("sleep", "60")
    held.until_running()
    held.ask(signal.SIGSTOP)
    os.kill(held.pid, signal.SIGTERM)
    assert isinstance(held.wait().ending, Signalled)


def test_term_lets_a_job_finish_within_the_grace_period(shim: Spawner) -> None:
    line = 'trap "echo bye; exit 4" TERM; echo ready >ready; while :; do sleep 0.01; done'
    held = shim.start("sh", "-c", line)
    until((shim.folder / "ready").exists, "the trap")
    os.kill(held.pid, signal.SIGTERM)
    ending = held.wait().ending
    assert isinstance(ending, Exited)
    assert ending.status == 4
    assert ending.usage.left in (Left.NOTHING, Left.ENDED), "its last sleep may outlive it"


def test_what_a_job_starts_in_answer_to_term_is_left_alone(shim: Spawner) -> None:
    line = "trap \"sh -c 'sleep 0.05; echo saved >saved'; exit 4\" TERM; echo ready >ready; wait"
    held = shim.start("sh", "-c", f"sleep 60 & {line}")
    until((shim.folder / "ready").exists, "the trap")
    os.kill(held.pid, signal.SIGTERM)
    assert isinstance(held.wait().ending, Exited)
    assert shim.out("saved") == b"saved\n"


def test_after_the_grace_period_comes_kill(shim: Spawner) -> None:
    line = 'trap "" TERM; echo ready >ready; while :; do sleep 0.01; done'
    held = shim.start("sh", "-c", line, grace_ms=50)
    until((shim.folder / "ready").exists, "the trap")
    os.kill(held.pid, signal.SIGTERM)
    os.kill(held.pid, signal.SIGTERM)
    ending = held.wait().ending
    assert isinstance(ending, Signalled)
    assert ending.signal == signal.SIGKILL


def test_a_delivered_term_does_not_escalate(shim: Spawner) -> None:
    held = listen(shim)
    held.ask(signal.SIGTERM)
    until(lambda: deliveries(shim) == [("15", "x")] * 4, "four deliveries")
    assert held.record.ending is None
    held.ask(signal.SIGKILL)
    held.wait()


IGNORED = [1, 2, 3, 6, 10, 12, 13, 14, 18, 20, 21, 22, 29, 33]


def test_other_signals_do_nothing(shim: Spawner) -> None:
    held = shim.start("sh", "-c", UNTIL_GO)
    held.until_running()
    for number in IGNORED[:-1]:
        os.kill(held.pid, number)
    (shim.folder / "go").touch()
    assert isinstance(held.wait().ending, Exited)


def test_a_stopped_shim_goes_on(shim: Spawner) -> None:
    held = shim.start("sh", "-c", UNTIL_GO)
    held.until_running()
    os.kill(held.pid, signal.SIGSTOP)
    Path(shim.folder, "go").touch()
    os.kill(held.pid, signal.SIGCONT)
    assert isinstance(held.wait().ending, Exited)


def test_signals_that_come_before_the_shim_is_ready_are_kept(shim: Spawner) -> None:
    held = shim.start("sleep", "60")
    os.kill(held.pid, ASK + signal.SIGKILL)
    assert isinstance(held.wait().ending, Signalled)


def test_a_waiting_shim_uses_no_cpu(shim: Spawner) -> None:
    held = shim.start("sh", "-c", UNTIL_GO)
    held.until_running()
    until(lambda: psutil.Process(held.pid).status() == psutil.STATUS_SLEEPING, "the shim to wait")
    before = _switches(held.pid)
    pid = held.until_running()
    until(lambda: _switches(pid) > 20, "the job to go on")
    assert _switches(held.pid) - before <= 2
    (shim.folder / "go").touch()
    held.wait()


def _switches(pid: int) -> int:
    return int(psutil.Process(pid).num_ctx_switches().voluntary)
