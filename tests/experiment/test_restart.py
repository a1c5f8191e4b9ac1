"""Whatever is killed: no body runs twice, and what depends on it follows."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess

import pytest

from tests.experiment.lab import Lab

PIPELINE = """
    class A(Task):
        x: Param[int]
        def execute(self):
            mark(f"a{self.x}")
            until((HERE / "go").exists)
            mark(f"a{self.x} ends")

    class B(Task):
        a: Param[A]
        def execute(self):
            mark(f"b{self.a.x}")

    if __name__ == "__main__":
        with experiment(HERE / "W", "e"):
            for x in range(2):
                B.C(a=A.C(x=x).submit()).submit()
            mark("submitted")
"""
ALL = ["a0", "a0 ends", "a1", "a1 ends", "b0", "b1", "submitted"]


def test_tasks_go_on_without_their_driver(lab: Lab) -> None:
    driver = lab.start(PIPELINE)
    lab.until_marked("a0", "a1", "submitted")
    lab.until(lambda: len(lab.shell.jobs()) == 4, "all four are queued")
    assert lab.kill(driver) == -signal.SIGKILL
    lab.allow("go")
    lab.until_marked("b0", "b1")
    assert sorted(lab.marks()) == ALL


def test_the_next_driver_joins_what_is_live(lab: Lab) -> None:
    driver = lab.start(PIPELINE)
    lab.until_marked("a0", "a1", "submitted")
    lab.kill(driver)
    second = lab.start()
    lab.until(lambda: lab.marks().count("submitted") == 2, "the second has submitted")
    lab.allow("go")
    assert lab.end(second)[0] == 0
    assert sorted(lab.marks()) == [*ALL, "submitted"]
    assert lab.status()["jobs"] == {"done": 4}


def test_ctrl_c_leaves_the_tasks_alone(lab: Lab) -> None:
    driver = lab.start(PIPELINE)
    lab.until_marked("a0", "a1", "submitted")
    driver.send_signal(signal.SIGINT)
    status, said = lab.end(driver)
    assert status in (130, -signal.SIGINT)
    assert "4 tasks of experiment e go on" in said
    assert "end them with `hkill --label e`" in said
    assert lab.status()["status"] == "interrupted"
    lab.allow("go")
    lab.until_marked("b0", "b1")
    assert sorted(lab.marks()) == ALL
    lab.ok()
    assert sorted(lab.marks()) == [*ALL, "submitted"]
    assert lab.status()["status"] == "done"


def test_an_error_in_the_body_waits_for_nothing(lab: Lab) -> None:
    text = PIPELINE.replace('mark("submitted")', "raise RuntimeError('mistake')")
    done = lab.run(text)
    assert done.returncode == 1
    assert "RuntimeError: mistake" in done.stderr
    assert lab.status()["status"] == "failed"
    lab.allow("go")
    lab.until_marked("b0", "b1")


def test_a_driver_does_not_notice_that_the_broker_was_killed(own_lab: Lab) -> None:
    own_lab.shell.ok("hstart", "2")
    driver = own_lab.start(PIPELINE)
    own_lab.until_marked("a0", "a1", "submitted")
    own_lab.shell.kill_broker()
    own_lab.allow("go")
    status, said = own_lab.end(driver)
    assert status == 0, said
    assert sorted(own_lab.marks()) == ALL
    assert own_lab.status()["jobs"] == {"done": 4}


def test_driver_and_broker_are_killed(own_lab: Lab) -> None:
    own_lab.shell.ok("hstart", "2")
    driver = own_lab.start(PIPELINE)
    own_lab.until_marked("a0", "a1", "submitted")
    own_lab.kill(driver)
    own_lab.shell.kill_broker()
    own_lab.allow("go")
    own_lab.until_marked("a0 ends", "a1 ends")  # nobody there to start what follows
    own_lab.ok()
    assert sorted(own_lab.marks()) == [*ALL, "submitted"]


def test_what_goes_on_can_be_ended_as_the_driver_says(lab: Lab) -> None:
    driver = lab.start(PIPELINE.replace('"e"', '"unlike-others"'))
    lab.until_marked("a0", "a1", "submitted")
    lab.until(lambda: len(lab.shell.jobs()) == 4, "all four are queued")
    driver.send_signal(signal.SIGINT)
    lab.end(driver)
    lab.shell.ok("hkill", "--label", "unlike-others")
    assert lab.shell.jobs() == []


MANY = """
    class Step(Task):
        x: Param[int]
        before: Param[list[Task]]
        def execute(self):
            mark(f"step {self.x}")

    if __name__ == "__main__":
        with experiment(HERE / "W", "e"):
            steps = []
            for x in range(12):
                steps.append(Step.C(x=x, before=steps[-2:]).submit())
"""


@pytest.mark.slow
def test_no_body_runs_twice_however_often_driver_and_broker_are_killed(own_lab: Lab) -> None:
    own_lab.shell.ok("hstart", "2")
    own_lab.script(MANY)
    chance = random.Random(7)
    for kill in range(6):
        driver = own_lab.start()
        with contextlib.suppress(subprocess.TimeoutExpired):
            driver.wait(chance.uniform(0.1, 0.5))
        own_lab.kill(driver)
        if kill % 2:
            with contextlib.suppress(ProcessLookupError):  # nobody brought it back since
                own_lab.shell.kill_broker()
    own_lab.ok()
    assert sorted(own_lab.marks()) == sorted(f"step {x}" for x in range(12))
    assert own_lab.status()["jobs"] == {"done": 12}


def test_a_second_driver_of_the_same_experiment_waits(lab: Lab) -> None:
    first = lab.start(PIPELINE)
    lab.until_marked("a0", "a1", "submitted")
    second = lab.start()
    assert second.stderr is not None
    assert "going on in another process" in second.stderr.readline()
    assert lab.marks().count("submitted") == 1
    lab.allow("go")
    assert lab.end(first)[0] == lab.end(second)[0] == 0
    assert sorted(lab.marks()) == [*ALL, "submitted"]
    assert len(list((lab.workspace / "experiments" / "e").glob("2*"))) == 2


def test_two_experiments_share_a_live_task(lab: Lab) -> None:
    text = PIPELINE.replace('"e")', "sys.argv[1])")
    first = lab.start(text, "one")
    lab.until_marked("a0", "a1", "submitted")
    second = lab.start("", "two")
    lab.until(lambda: lab.marks().count("submitted") == 2, "both have submitted")
    lab.allow("go")
    assert lab.end(first)[0] == lab.end(second)[0] == 0
    assert sorted(lab.marks()) == [*ALL, "submitted"]


def test_one_task_at_two_schedulers_runs_once(lab: Lab) -> None:
    text = PIPELINE.replace('"e")', "sys.argv[1], scheduler=sys.argv[1])")
    lab.shell.ok("hstart", "-n", "second", "2")
    lab.shell.ok("hstart", "-n", "third", "2")
    drivers = [lab.start(text, name) for name in ("second", "third")]
    try:
        lab.until(lambda: lab.marks().count("submitted") == 2, "both have submitted")
        lab.until_marked("a0", "a1")
        lab.allow("go")
        assert [lab.end(driver) for driver in drivers] == [(0, "")] * 2
        assert sorted(lab.marks()) == [*ALL, "submitted"]
    finally:
        for name in ("second", "third"):
            lab.shell.run("hstop", "-n", name, "--force")


@pytest.mark.parametrize("order", ["hkill", "kill -9"])
def test_a_task_that_was_killed_has_failed_and_runs_again(lab: Lab, order: str) -> None:
    driver = lab.start(PIPELINE)
    lab.until_marked("a0", "a1", "submitted")
    if order == "hkill":
        lab.shell.ok("hkill", *(job["id"] for job in lab.shell.jobs("--state", "running")))
    else:
        for folder in lab.tasks("a"):
            process = json.loads((folder / "__xpm__" / "process.json").read_text())
            os.kill(process["pid"], signal.SIGKILL)
    status, said = lab.end(driver)
    assert status == 1
    assert "2 of 4 tasks failed, and 2 did not run because of them" in said
    assert ("(cancelled: " if order == "hkill" else "killed by signal 9") in said
    lab.allow("go")
    lab.ok()
    counts = {word: lab.marks().count(word) for word in ALL}
    assert counts == {**dict.fromkeys(ALL, 1), "a0": 2, "a1": 2, "submitted": 2}


def test_a_scheduler_that_is_stopped_ends_the_wait(own_lab: Lab) -> None:
    own_lab.shell.ok("hstart", "2")
    text = PIPELINE.replace('mark("submitted")', 'mark("submitted")\n            AFTER')
    after = 'until((HERE / "stopped").exists); A.C(x=7).submit()'
    driver = own_lab.start(text.replace("AFTER", after))
    own_lab.until_marked("a0", "a1", "submitted")
    own_lab.shell.ok("hstop", "--force")
    own_lab.allow("stopped")
    status, said = own_lab.end(driver)
    assert status == 1
    assert "experiment e: 5 of 5 tasks failed" in said
    assert "bad state or not running" in said
