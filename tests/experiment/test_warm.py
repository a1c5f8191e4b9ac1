"""Tasks that are forks of a warm interpreter: the same in all that is promised, and faster."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from tests.e2e.shell import is_alive
from tests.experiment.lab import Lab

WARM = """
    import threading
    IMPORTED = os.getpid()

    class A(Task):
        x: Param[int]
        def execute(self):
            mark(f"{self.x} {'fork' if os.getpid() != IMPORTED else 'own'}")
            print("out", os.getcwd() == str(self.__taskdir__), os.environ.get("MINE"))
            print(os.environ["HSCHED_JOB_ID"], os.environ["QUEUE0"], file=sys.stderr)
            if self.x == 1:
                raise ValueError("no good")
            if self.x == 2:
                until((HERE / "go").exists)
            if self.x == 3:
                threading.Thread(target=lambda: (time.sleep(0.05), mark("thread"))).start()
                sys.exit(0)

    class Cold(A):
        warm = False

    if __name__ == "__main__":
        with experiment(HERE / "W", "e", warm=["decimal"]) as xp:
            xp.setenv("MINE", "variable")
            for x in map(int, sys.argv[1:]):
                (A if x < 9 else Cold).C(x=x).submit()
"""


def test_a_warm_task_finds_what_any_task_finds(lab: Lab) -> None:
    lab.ok(WARM, "0", "3", "9")
    assert sorted(lab.marks()) == ["0 fork", "3 fork", "9 own", "thread"]
    for folder in lab.tasks("a"):
        assert (folder / "a.out").read_text() == "out True variable\n"
        job, slot = (folder / "a.err").read_text().split()
        assert job.isdecimal()
        assert slot in "01"


def test_a_failure_is_a_failure(lab: Lab) -> None:
    done = lab.run(WARM, "1")
    assert done.returncode == 1
    assert "(failed: ValueError: no good)" in done.stderr
    assert "ValueError: no good" in (lab.task("a") / "a.err").read_text()


def pid_of(lab: Lab) -> int:
    """Return the process of the only task."""
    return int(json.loads((lab.task("a") / "__xpm__/process.json").read_text())["pid"])


@pytest.mark.parametrize("grace", ["5", "0"])
def test_a_warm_task_is_killed_with_its_job(lab: Lab, grace: str) -> None:
    driver = lab.start(WARM, "2")
    lab.until_marked("2 fork")
    pid = pid_of(lab)
    lab.shell.ok("hkill", "--all", "--grace", grace)
    assert lab.end(driver)[0] == 1
    lab.until(lambda: not is_alive(pid), "the fork is gone")
    assert (lab.task("a") / "a.failed").exists() == (grace == "5")


def test_its_end_by_a_signal_is_told(lab: Lab) -> None:
    driver = lab.start(WARM, "2")
    lab.until_marked("2 fork")
    os.kill(pid_of(lab), signal.SIGKILL)
    status, said = lab.end(driver)
    assert status == 1
    assert "killed by signal 9" in said


def test_it_goes_on_without_its_driver_and_its_interpreter_ends(lab: Lab) -> None:
    driver = lab.start(WARM, "2")
    lab.until_marked("2 fork")
    assert _interpreters(lab)
    lab.kill(driver)
    lab.allow("go")
    lab.until((lab.task("a") / "a.done").exists, "the task is done")
    lab.until(lambda: not _interpreters(lab), "the interpreter is gone")


def test_a_task_whose_interpreter_is_gone_runs_on_its_own(lab: Lab) -> None:
    driver = lab.start(WARM.replace("self.x == 2", "self.x >= 2"), "2", "4", "5")
    lab.until_marked("2 fork", "4 fork")  # on both slots
    lab.kill(driver)
    lab.until(lambda: not list(lab.shell.home.glob("hsched-warm-*/socket")), "nobody listens")
    lab.allow("go")
    lab.until_marked("5 own")


def _interpreters(lab: Lab) -> list[int]:
    def _line(pid: int) -> bytes:
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return b""

    return [pid for pid in lab.shell.processes() if b"experiment.warm import" in _line(pid)]


def test_a_module_that_is_not_there_is_told_at_once(lab: Lab) -> None:
    done = lab.run(WARM.replace("decimal", "no_such_module"), "0")
    assert "there is no module no_such_module" in done.stderr
    assert lab.marks() == []
