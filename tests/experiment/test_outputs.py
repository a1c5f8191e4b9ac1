"""What a task gives out while it runs reaches its watchers: in order, once, and again."""

from __future__ import annotations

import json
from pathlib import Path

from hsched.experiment import files, outputs
from tests.experiment.lab import Lab

LEARN = """
    class Checkpoint(Config):
        step: Param[int]

    class Validation(Config):
        kind: Param[str]
        def checkpoint(self, dep: DependentMarker, *, step: int) -> Checkpoint:
            return dep(Checkpoint.C(step=step))
        def compute(self, step):
            self.register_task_output(self.checkpoint, step=step)

    class Learn(ResumableTask):
        rate: Param[float]
        validation: Param[Validation]
        steps: Meta[int]
        def execute(self):
            for step in range(self.steps):
                self.validation.compute(step)
                mark(f"step {step}")
                until((HERE / f"go{step}").exists)

    class Evaluate(Task):
        checkpoint: Param[Checkpoint]
        def execute(self):
            mark(f"evaluate {self.checkpoint.step}")

    if __name__ == "__main__":
        import threading
        called = []
        def on_checkpoint(checkpoint):
            assert threading.current_thread() is not threading.main_thread()
            called.append(checkpoint.step)
            mark(f"called {checkpoint.step}")
            Evaluate.C(checkpoint=checkpoint).submit()
        with experiment(HERE / "W", "e") as xp:
            for rate in map(float, sys.argv[1:]):
                validation = Validation.C(kind="k")
                learn = Learn.C(rate=rate, validation=validation, steps=3)
                learn.watch_output(validation.checkpoint, on_checkpoint)
                learn.watch_output(validation.checkpoint, lambda one: called.append(-one.step))
                learn.submit()
        print(called)
        print(len({job.identifier for job in xp.jobs if job.name == "evaluate"}))
"""


def test_callbacks_come_in_order_while_the_task_runs(lab: Lab) -> None:
    driver = lab.start(LEARN, "0.1")
    lab.until_marked("step 0", "called 0", "evaluate 0")
    assert "step 1" not in lab.marks()
    for step in range(3):
        lab.allow(f"go{step}")
    status, said = lab.end(driver)
    assert status == 0, said
    assert said.splitlines() == ["[0, 0, 1, -1, 2, -2]", "3"]


def test_they_are_called_again_by_a_driver_that_comes_later(lab: Lab) -> None:
    for step in range(3):
        lab.allow(f"go{step}")
    lab.ok(LEARN, "0.1")
    bodies = [mark for mark in lab.marks() if not mark.startswith("called")]
    said = lab.ok("", "0.1")
    assert said.splitlines()[0] == "[0, 0, 1, -1, 2, -2]"
    assert [mark for mark in lab.marks() if not mark.startswith("called")] == bodies


def test_a_killed_driver_misses_nothing(lab: Lab) -> None:
    driver = lab.start(LEARN, "0.1")
    lab.until_marked("called 0")
    lab.kill(driver)
    lab.allow("go0")
    lab.until_marked("step 1")
    second = lab.start("", "0.1")
    lab.until_marked("called 1", "evaluate 1")
    for step in range(1, 3):
        lab.allow(f"go{step}")
    status, said = lab.end(second)
    assert status == 0, said
    assert said.splitlines()[0] == "[0, 0, 1, -1, 2, -2]"
    evaluated = [mark for mark in lab.marks() if mark.startswith("evaluate")]
    assert sorted(evaluated) == ["evaluate 0", "evaluate 1", "evaluate 2"]


def test_outputs_of_different_tasks_are_different(lab: Lab) -> None:
    for step in range(3):
        lab.allow(f"go{step}")
    said = lab.ok(LEARN, "0.1", "0.2").splitlines()
    assert sorted(json.loads(said[0])) == sorted([0, 0, 1, -1, 2, -2] * 2)
    assert said[1] == "6"


def test_a_second_submission_in_one_process_hears_all_again(lab: Lab) -> None:
    for step in range(3):
        lab.allow(f"go{step}")
    said = lab.ok(
        LEARN
        + """
        called.clear()
        with experiment(HERE / "W", "e") as xp:
            validation = Validation.C(kind="k")
            learn = Learn.C(rate=0.1, validation=validation, steps=3)
            learn.submit()
            xp.wait()
            learn.watch_output(validation.checkpoint, on_checkpoint)
        print(called)
""",
        "0.1",
    )
    assert said.splitlines()[-1] == "[0, 1, 2]"


def test_a_failed_task_that_runs_again_in_the_same_process_is_heard_on(lab: Lab) -> None:
    said = lab.ok(
        """
        class Out(Config):
            step: Param[int]

        class Learn(ResumableTask):
            x: Param[int]
            def out(self, dep, step):
                return dep(Out.C(step=step))
            def execute(self):
                for step in range(4):
                    assert step < 2 or (HERE / "again").exists()
                    self.register_task_output(self.out, step)

        if __name__ == "__main__":
            called = []
            def learner(name):
                learn = Learn.C(x=1)
                learn.watch_output(learn.out, lambda one: called.append((name, one.step)))
                return learn
            with experiment(HERE / "W", "e") as xp:
                learner("first").submit()
                assert not xp.wait()
                assert called == [("first", 0), ("first", 1)], called
                (HERE / "again").touch()
                learner("second").submit()
                assert xp.wait()
                for name in ("first", "second"):
                    assert [step for one, step in called if one == name] == [0, 1, 2, 3], called
                late = learner("late")
                late.submit()
                assert xp.wait()
                assert called[-4:] == [("late", step) for step in range(4)], called
        """
    )
    assert said == ""


def test_only_tasks_that_can_be_resumed_give_out_outputs(lab: Lab) -> None:
    done = lab.run(
        """
        class Out(Config):
            step: Param[int]
        class Plain(Task):
            x: Param[int]
            def out(self, dep, step):
                return dep(Out.C(step=step))
            def execute(self):
                self.register_task_output(self.out, 1)

        if __name__ == "__main__":
            with experiment(HERE / "W", "e"):
                task = Plain.C(x=1)
                try:
                    task.watch_output(task.out, print)
                except TypeError as error:
                    print(error)
                task.submit()
        """
    )
    assert "watch_output: script.plain is no ResumableTask" in done.stdout
    assert "is a Task, and only a ResumableTask gives out outputs" in done.stderr


def test_half_a_line_is_no_record(home: Path) -> None:
    path = home / "lines"
    first = outputs.Output("k/m", (1,), {"b": 2, "a": "ü\u2028\n"})
    files.append_line(path, first.line())
    with open(path, "a") as file:
        file.write('{"key": "k/m", "args": [2')
    lines, offset = files.whole_lines(path)
    assert [outputs.parse(line) for line in lines] == [first]
    files.append_line(path, outputs.Output("k/m", (3,), {}).line())
    more, _ = files.whole_lines(path, offset)
    assert [outputs.parse(line) for line in more] == [outputs.Output("k/m", (3,), {})]
    assert outputs.parse('{"key": 1}') is None
