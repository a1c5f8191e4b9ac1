"""Tasks are run once, in order, and what becomes of them is told."""

from __future__ import annotations

import json

import pytest

from tests.experiment.lab import Lab

ONE = """
    class M(Task):
        x: Param[int]
        def execute(self):
            mark(f"x={self.x}")
            print(os.getcwd())
            print(self.__taskdir__)
            print(self.__tags__)

    if __name__ == "__main__":
        with experiment(HERE / "W", "e") as xp:
            task = M.C(x=tag(int(sys.argv[1]))).submit()
        print(task.job.identifier)
"""


def test_a_task_runs_in_its_folder_and_its_second_time_is_nothing(lab: Lab) -> None:
    identifier = lab.ok(ONE, "3").strip()
    folder = lab.task("m")
    assert folder.name == identifier
    assert (folder / "m.done").exists()
    assert (folder / "m.out").read_text().splitlines() == [str(folder), str(folder), "{'x': 3}"]
    assert lab.ok("", "3").strip() == identifier
    assert lab.marks() == ["x=3"]
    assert lab.status()["status"] == "done"
    assert lab.status()["jobs"] == {"done": 1}


def test_the_folder_of_a_task_has_what_the_page_names(lab: Lab) -> None:
    lab.ok(ONE, "1")
    names = {entry.name for entry in lab.task("m").iterdir()}
    assert names >= {"m.py", "m.out", "m.err", "m.done", "params.json", "__xpm__"}
    assert not any(name.endswith(".tmp") for name in names)


def test_another_parameter_is_another_folder(lab: Lab) -> None:
    lab.ok(ONE, "3")
    lab.ok("", "4")
    assert len(lab.tasks("m")) == 2
    assert lab.marks() == ["x=3", "x=4"]


def test_a_script_of_a_task_runs_by_hand(lab: Lab) -> None:
    lab.ok(ONE, "3")
    (lab.task("m") / "m.done").unlink()
    lab.shell.ok(lab.task("m") / "m.py")
    assert lab.marks() == ["x=3", "x=3"]
    assert (lab.task("m") / "m.done").exists()


FAILING = """
    class A(Task):
        word: Param[str]
        def execute(self):
            mark("a")
            print("about to fail", file=sys.stderr)
            raise ValueError("no good")

    class B(Task):
        a: Param[A]
        def execute(self):
            mark("b")

    class Last(Task):
        b: Param[B]
        def execute(self):
            mark("last")

    class Other(Task):
        x: Param[int]
        def execute(self):
            mark("other")

    if __name__ == "__main__":
        with experiment(HERE / "W", "e") as xp:
            a = A.C(word="needle").submit()
            b = B.C(a=a).submit()
            last = Last.C(b=b).submit()
            Other.C(x=1).submit()
            xp.wait()
            assert B.C(a=a).submit().job is b.job  # submitted again, and again in vain
            xp.wait()
            print(*[(one.job.name, one.job.failure.reason) for one in (a, b, last)])
"""


def test_a_failure_stops_what_depends_on_it_and_nothing_else(lab: Lab) -> None:
    done = lab.run(FAILING)
    assert done.returncode == 1
    said = done.stdout.splitlines()
    assert said == ["('a', 'failed') ('b', 'dependency') ('last', 'dependency')"], done
    assert sorted(lab.marks()) == ["a", "other"]
    failed = json.loads((lab.task("a") / "a.failed").read_text())
    assert failed == {"code": 1, "reason": "failed", "message": "ValueError: no good"}
    assert "ValueError: no good" in (lab.task("a") / "a.err").read_text()
    assert not (lab.task("b") / "b.out").exists()
    assert lab.status()["status"] == "failed"
    assert lab.status()["jobs"] == {"done": 1, "error": 3}


def test_the_report_names_the_task_its_parameters_and_where_there_is_more(lab: Lab) -> None:
    said = lab.run(FAILING).stderr
    assert "experiment e: 1 of 4 tasks failed, and 2 did not run because of it" in said
    assert "word = 'needle'" in said
    assert "about to fail" in said
    assert f"less {lab.task('a') / 'a.err'}" in said


def test_a_failed_task_is_run_again_by_the_next_run_in_a_clean_folder(lab: Lab) -> None:
    lab.run(
        """
        class A(Task):
            x: Param[int]
            def execute(self):
                mark(f"leftovers={os.path.exists('half')}")
                Path("half").write_text("half")
                assert (HERE / "good").exists()

        if __name__ == "__main__":
            with experiment(HERE / "W", "e"):
                A.C(x=1).submit()
        """
    )
    assert (lab.task("a") / "half").exists()
    lab.allow("good")
    lab.ok()
    assert lab.marks() == ["leftovers=False", "leftovers=False"]
    assert not (lab.task("a") / "a.failed").exists()
    assert any("AssertionError" in log.read_text() for log in lab.task("a").glob("a.2*.err"))


@pytest.mark.parametrize(
    ("code", "marker"), [("3", "failed"), ("0", "done"), ("None", "done"), ("'why'", "failed")]
)
def test_sys_exit_is_an_end_with_that_status(lab: Lab, code: str, marker: str) -> None:
    done = lab.run(
        f"""
        class A(Task):
            x: Param[int]
            def execute(self):
                sys.exit({code})

        if __name__ == "__main__":
            with experiment(HERE / "W", "e"):
                A.C(x=1).submit()
        """
    )
    assert done.returncode == (marker == "failed")
    assert (lab.task("a") / f"a.{marker}").exists()
    if code == "3":
        assert json.loads((lab.task("a") / "a.failed").read_text())["code"] == 3


def test_a_task_starts_after_those_that_it_is_made_of(lab: Lab) -> None:
    lab.ok(
        """
        class A(Task):
            x: Param[int]
            def execute(self):
                mark("a begins")
                time.sleep(0.05)
                mark("a ends")

        class B(Task):
            a: Param[A]
            def execute(self):
                mark(f"b has {self.a.x}")

        if __name__ == "__main__":
            with experiment(HERE / "W", "e"):
                B.C(a=A.C(x=7).submit()).submit()
        """
    )
    assert lab.marks() == ["a begins", "a ends", "b has 7"]


def test_an_equal_task_twice_is_one(lab: Lab) -> None:
    lab.ok(
        """
        class A(Task):
            x: Param[int]
            def execute(self):
                mark("a")

        if __name__ == "__main__":
            with experiment(HERE / "W", "e") as xp:
                assert A.C(x=1).submit().job is A.C(x=1).submit().job
                assert len(xp.jobs) == 1
        """
    )
    assert lab.marks() == ["a"]


def test_init_tasks_change_what_the_task_is_made_of(lab: Lab) -> None:
    lab.ok(
        """
        class Model(Config):
            size: Param[int]
            def __post_init__(self):
                self.state = "fresh"

        class Loader(LightweightTask):
            model: Param[Model]
            path: Meta[Path]
            def execute(self):
                self.model.state = self.path.read_text()

        class Learn(Task):
            model: Param[Model]
            rate: Param[float]
            path: Meta[Path] = field(default_factory=PathGenerator("model.txt"))
            def task_outputs(self, dep):
                return dep(Loader.C(model=self.model, path=self.path))
            def execute(self):
                self.path.write_text(f"learnt {self.rate}")

        class Evaluate(Task):
            model: Param[Model]
            def execute(self):
                mark(self.model.state)

        if __name__ == "__main__":
            with experiment(HERE / "W", "e"):
                model = Model.C(size=1)
                ids = {Evaluate.C(model=model).submit().job.identifier}
                for rate in (0.1, 0.2):
                    loader = Learn.C(model=model, rate=rate).submit()
                    ids.add(Evaluate.C(model=model).submit(init_tasks=[loader]).job.identifier)
                assert len(ids) == 3
        """
    )
    assert sorted(lab.marks()) == ["fresh", "learnt 0.1", "learnt 0.2"]


def test_what_cannot_be_is_said_at_the_line_that_submits(lab: Lab) -> None:
    said = lab.run(
        """
        class A(Task):
            x: Param[int]
            def execute(self):
                pass

        if __name__ == "__main__":
            for action in (
                lambda: A.C(x=1).submit(slots="9"),
                lambda: A.C(x=2).submit(time="soon"),
                lambda: A.C(x=3).submit(slot="1"),
                lambda: A.C(x=4).submit(max_retries=-1),
                lambda: A.C(x=5).submit(launcher="slurm"),
                lambda: experiment(HERE / "W", "other").__enter__(),
            ):
                with experiment(HERE / "W", "e"):
                    try:
                        action()
                    except Exception as error:
                        print(type(error).__name__, error)
            try:
                A.C(x=6).submit()
            except Exception as error:
                print(type(error).__name__, error)
            try:
                experiment(HERE / "W", "a/b")
            except Exception as error:
                print(type(error).__name__, error)
        """
    ).stdout.splitlines()
    assert "`9`: no 9 cores; there is cores=2" in said[0]
    assert "`soon` is no duration" in said[1]
    assert "no option `slot`" in said[2]
    assert "max_retries=-1: a whole number from 0 on" in said[3]
    assert "launcher='slurm': no Launcher" in said[4]
    assert "experiment 'e' is open" in said[5]
    assert "no experiment is open" in said[6]
    assert "experiment name 'a/b'" in said[7]
    assert all(line.startswith("WrongUsage ") for line in said)


def test_a_script_without_a_guard_is_told_so(lab: Lab) -> None:
    said = lab.run(
        """
        class A(Task):
            x: Param[int]
            def execute(self):
                pass

        with experiment(HERE / "W", "e"):
            A.C(x=1).submit()
        """
    ).stderr
    assert "put the experiment under `if __name__ == '__main__':`" in said


def test_on_completed_is_called_once_for_each_task_that_succeeds(lab: Lab) -> None:
    said = lab.ok(
        """
        class A(Task):
            x: Param[int]
            def execute(self):
                pass

        if __name__ == "__main__":
            with experiment(HERE / "W", "e") as xp:
                before = A.C(x=1)
                before.on_completed(lambda: print("before"))
                before.submit()
                xp.wait()
                before.on_completed(lambda: print("after"))
                xp.wait()
        """
    )
    assert said.splitlines() == ["before", "after"]


def test_a_callback_that_raises_stops_nothing(lab: Lab) -> None:
    done = lab.run(
        """
        class A(Task):
            x: Param[int]
            def execute(self):
                pass

        if __name__ == "__main__":
            with experiment(HERE / "W", "e"):
                for x in range(2):
                    task = A.C(x=x)
                    task.on_completed(lambda: print("called") or 1 / 0)
                    task.submit()
        """
    )
    assert done.returncode == 0
    assert done.stdout == "called\ncalled\n"
    assert done.stderr.count("ZeroDivisionError") == 2


def test_slots_hold_what_they_say(lab: Lab) -> None:
    lab.ok(
        """
        class Wide(Task):
            slots = "2"
            x: Param[int]
            def execute(self):
                mark("+")
                time.sleep(0.02)
                mark("-")

        class Narrow(Wide):
            slots = "2"

        if __name__ == "__main__":
            with experiment(HERE / "W", "e"):
                for x in range(3):
                    Wide.C(x=x).submit()
                    Narrow.C(x=x).submit(slots="cores=2")
        """
    )
    assert lab.marks() == ["+", "-"] * 6


def test_a_scheduler_is_started_where_none_runs(own_lab: Lab) -> None:
    done = own_lab.run(ONE, "3")
    assert done.returncode == 0
    assert "hsched: started default scheduler with nslots = " in done.stderr
    assert own_lab.marks() == ["x=3"]
