"""Tasks that run out of time, are told to end, or are run again because of it."""

from __future__ import annotations

import json
import os
import signal

from tests.experiment.lab import Lab

#: A task that goes on for ever, in short steps, from where it was.
TRAINING = """
    class Train(ResumableTask):
        x: Param[int]
        checkpoint: Meta[Path] = field(default_factory=PathGenerator("steps"))
        def execute(self):
            begin = int(self.checkpoint.read_text()) if self.checkpoint.exists() else 0
            mark(f"from {begin}")
            assert self.remaining_time() < 1000
            self.checkpoint.write_text(str(begin + 1))
            BODY

    if __name__ == "__main__":
        with experiment(HERE / "W", "e", OPTIONS) as xp:
            Train.C(x=1).submit(SUBMIT)
"""


def training(body: str, submit: str = "", options: str = "") -> str:
    """Return the script with this in its places."""
    text = TRAINING.replace("BODY", body.strip())
    return text.replace("SUBMIT", submit).replace("OPTIONS", options)


def test_a_graceful_timeout_is_retried_so_often_and_from_the_checkpoint(lab: Lab) -> None:
    done = lab.run(training('raise GracefulTimeout("no time")', "max_retries=2, time=500"))
    assert done.returncode == 1
    assert lab.marks() == ["from 0", "from 1", "from 2"]
    failed = json.loads((lab.task("train") / "train.failed").read_text())
    assert failed == {"code": 1, "reason": "timeout", "message": "no time"}
    assert "(timeout: no time)" in done.stderr


def test_a_retried_task_can_succeed(lab: Lab) -> None:
    text = training("begin == 2 or (_ for _ in ()).throw(GracefulTimeout())", "time='10m'")
    lab.ok(text)
    assert lab.marks() == ["from 0", "from 1", "from 2"]
    assert not (lab.task("train") / "train.failed").exists()


def test_no_retries_is_one_run(lab: Lab) -> None:
    assert lab.run(training("raise GracefulTimeout", "time=500", "max_retries=0")).returncode == 1
    assert lab.marks() == ["from 0"]


def test_other_failures_are_not_retried(lab: Lab) -> None:
    assert lab.run(training("sys.exit(124)", "time=500")).returncode == 1
    assert lab.marks() == ["from 0"]


def test_retries_go_on_without_a_driver(lab: Lab) -> None:
    body = """
            until((HERE / f"go{begin}").exists)
            if begin < 2: raise GracefulTimeout
            mark("over")
    """
    driver = lab.start(training(body, "time=500"))
    lab.until_marked("from 0")
    lab.kill(driver)
    for step in range(3):
        lab.allow(f"go{step}")
    lab.until_marked("over")
    assert lab.marks() == ["from 0", "from 1", "from 2", "over"]


def test_a_task_is_told_before_its_limit_and_run_again(lab: Lab) -> None:
    body = """
            try:
                begin or time.sleep(60)
            except TaskCancelled as told:
                mark(f"told {0 < told.remaining_time < 1000} {self.remaining_time() > 0}")
                raise
            mark("over")
    """
    lab.ok(training(body, "time=1, grace=500"))
    assert lab.marks() == ["from 0", "told True True", "from 1", "over"]


def test_a_task_that_does_not_listen_is_killed_and_run_again_with_what_waits_for_it(
    lab: Lab,
) -> None:
    lab.ok(
        """
        import signal
        class Train(ResumableTask):
            x: Param[int]
            def execute(self):
                mark("train")
                if not Path("deaf").exists():
                    Path("deaf").touch()
                    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
                    time.sleep(60)

        class After(Task):
            train: Param[Train]
            def execute(self):
                mark("after")

        if __name__ == "__main__":
            with experiment(HERE / "W", "e") as xp:
                train = Train.C(x=1).submit(time=0.5, grace=0.1, max_retries=1)
                After.C(train=train).submit()
        """
    )
    assert lab.marks() == ["train", "train", "after"]


CANCELLED = """
    class A(Task):
        x: Param[int]
        def execute(self):
            try:
                mark("begun")
                time.sleep(60)
            except TaskCancelled as told:
                mark(f"told {told.remaining_time}")
                if LET_THROUGH:
                    raise
            mark("goes on")

    if __name__ == "__main__":
        with experiment(HERE / "W", "e"):
            A.C(x=1).submit()
"""


def cancel(lab: Lab, number: int = signal.SIGTERM) -> None:
    """Send a signal to the process of the task, once it has begun."""
    lab.until_marked("begun")
    pid = json.loads((lab.task("a") / "__xpm__" / "process.json").read_text())["pid"]
    os.kill(pid, number)


def test_a_task_hears_that_it_is_cancelled(lab: Lab) -> None:
    driver = lab.start(CANCELLED.replace("LET_THROUGH", "True"))
    cancel(lab)
    status, said = lab.end(driver)
    assert status == 1
    assert lab.marks() == ["begun", "told 5.0"]
    failed = json.loads((lab.task("a") / "a.failed").read_text())
    assert failed == {"code": 15, "reason": "cancelled", "message": "Job terminated by SIGTERM"}
    assert "cancelled: Job terminated by SIGTERM" in said


def test_one_that_swallows_it_is_cancelled_all_the_same(lab: Lab) -> None:
    driver = lab.start(CANCELLED.replace("LET_THROUGH", "False"))
    cancel(lab, signal.SIGINT)
    assert lab.end(driver)[0] == 1
    assert lab.marks() == ["begun", "told 5.0", "goes on"]
    assert not (lab.task("a") / "a.done").exists()
    assert json.loads((lab.task("a") / "a.failed").read_text())["reason"] == "cancelled"


def test_without_a_limit_there_is_no_remaining_time(lab: Lab) -> None:
    lab.ok(
        """
        class A(ResumableTask):
            x: Param[int]
            def execute(self):
                mark(f"{self.remaining_time()}")

        if __name__ == "__main__":
            with experiment(HERE / "W", "e"):
                A.C(x=1).submit()
        """
    )
    assert lab.marks() == ["None"]


def test_slurm_is_asked_once_and_then_counted_down(lab: Lab) -> None:
    squeue = lab.folder / "squeue"
    squeue.write_text(f"#!/bin/sh\necho asked >>{lab.folder}/marks\necho $LEFT\n")
    squeue.chmod(0o755)
    lab.ok(
        """
        class A(ResumableTask):
            left: Param[str]
            def execute(self):
                os.environ |= {"SLURM_JOB_ID": "7", "LEFT": self.left}
                os.environ["PATH"] = f"{HERE}:{os.environ['PATH']}"
                first, second = self.remaining_time(), self.remaining_time()
                mark(f"{first and round(first)} {first is None or second < first}")

        if __name__ == "__main__":
            with experiment(HERE / "W", "e") as xp:
                A.C(left="1-02:03:04").submit()
                xp.wait()
                A.C(left="UNLIMITED").submit()
        """
    )
    assert lab.marks() == ["asked", "93784 True", "asked", "None True"]


def test_the_workspace_says_how_many_retries_and_submit_wins(lab: Lab) -> None:
    config = lab.folder / "config" / "hsched"
    config.mkdir(parents=True)
    (config / "settings.yaml").write_text(
        f"workspaces:\n  - id: mine\n    path: {lab.workspace}\n    max_retries: 1\n"
    )
    text = training("raise GracefulTimeout", "time=500").replace('HERE / "W"', '"mine"')
    env = {"XDG_CONFIG_HOME": str(lab.folder / "config")}
    assert lab.run(text, env=env).returncode == 1
    assert lab.marks() == ["from 0", "from 1"]
    assert lab.run(text.replace("time=500", "time=500, max_retries=0"), env=env).returncode == 1
    assert lab.marks() == ["from 0", "from 1", "from 2"]
