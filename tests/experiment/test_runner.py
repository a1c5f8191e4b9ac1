"""The process of a task: light, alone with its task, and of few words."""

from __future__ import annotations

import sys

from tests.experiment.lab import Lab

GENERATED = """
    class A(Task):
        x: Param[int]
        def execute(self):
            mark("runs")
            {body}

    if __name__ == "__main__":
        with experiment(HERE / "W", "e", run_mode=RunMode.GENERATE_ONLY):
            A.C(x=1).submit()
"""


def generated(lab: Lab, body: str = "pass") -> str:
    """Write the folder of a task, and return the path of its script."""
    lab.ok(GENERATED.replace("{body}", body))
    return str(lab.task("a") / "a.py")


def test_it_imports_what_a_task_needs_and_not_what_a_driver_needs(lab: Lab) -> None:
    script = generated(lab, "print(*sys.modules)")
    # The script of the lab imports all names of the package; a user's imports those it uses.
    text = (lab.folder / "script.py").read_text()
    names = "Param, Task, experiment, RunMode"
    (lab.folder / "script.py").write_text(
        text.replace("import *", f"import {names}").replace("from pathlib", "from pathlib")
    )
    found = set(lab.shell.ok(sys.executable, script, cwd=lab.folder).split())
    assert "hsched.experiment.runner" in found
    slow = {"zmq", "click", "rich", "sqlite3", "subprocess", "threading", "inspect", "yaml"}
    assert not found & (slow | {"hsched.client", "hsched.core", "hsched.experiment.driver"})


def test_what_is_done_is_not_done_again_by_hand(lab: Lab) -> None:
    script = generated(lab)
    for _ in range(2):
        lab.shell.ok(sys.executable, script)
    assert lab.marks() == ["runs"]


def test_of_two_at_once_one_waits_and_finds_it_done(lab: Lab) -> None:
    script = generated(lab, "until((HERE / 'go').exists)")
    first = lab.start(lab.task("a") / "a.py")
    lab.until_marked("runs")
    second = lab.start(lab.task("a") / "a.py")
    assert second.stderr is not None
    assert "another process runs this task" in second.stderr.readline()
    lab.allow("go")
    assert lab.end(first)[0] == lab.end(second)[0] == 0, script
    assert lab.marks() == ["runs"]


def test_a_task_that_never_ran_because_its_class_is_gone_says_so(lab: Lab) -> None:
    script = generated(lab)
    text = (lab.folder / "script.py").read_text()
    (lab.folder / "script.py").write_text(text.replace("class A(", "class B("))
    done = lab.shell.run(sys.executable, script)
    assert done.returncode == 1
    assert "there is no class A in" in done.stderr
    assert "ImportError" in (lab.task("a") / "a.failed").read_text()


def test_output_that_cannot_be_written_is_a_failure(lab: Lab) -> None:
    script = generated(lab, "print('lost')")
    done = lab.shell.run("/bin/sh", "-c", f"exec {sys.executable} {script} >/dev/full")
    assert done.returncode == 1
    assert not (lab.task("a") / "a.done").exists()


def test_threads_and_exit_functions_end_before_the_process(lab: Lab) -> None:
    body = """import atexit, threading
            atexit.register(mark, "exit function")
            threading.Thread(target=lambda: (time.sleep(0.05), mark("thread"))).start()"""
    lab.shell.ok(sys.executable, generated(lab, body))
    assert lab.marks() == ["runs", "thread", "exit function"]
