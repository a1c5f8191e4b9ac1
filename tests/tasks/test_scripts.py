"""hsched create SCRIPT.py: what is exported runs, and what fails submits nothing."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from hsched.tasks import scripts
from hsched.tasks.errors import TaskError
from tests.e2e.shell import Shell
from tests.tasks.test_create import statuses

HEAD = """
import hsched, os, sys
from hsched.tasks import ProcTask, TaskGraph, TaskGroup
"""


def script(shell: Shell, text: str, name: str = "task.py") -> str:
    (shell.folder / name).write_text(HEAD + textwrap.dedent(text))
    return name


def create(shell: Shell, text: str, *words: str) -> list[str]:
    return shell.ok("hsched", "create", script(shell, text), *words).split()


def test_hooks_run_around_the_command_in_the_tasks_own_process(lab: Shell) -> None:
    names = create(
        lab,
        """
        class Async(ProcTask):
            async def on_start(self):
                await super().on_start()
                self.begun = os.getpid()
                print(f"Task {self.name} starting", flush=True)
            async def on_end(self):
                await super().on_end()
                print(f"Task {self.name} {self.status}", self.begun == os.getpid(), self.fullname)

        class Plain(ProcTask):
            def on_start(self):
                super().on_start()
                print("start", self.status, flush=True)
            def on_end(self):
                print("end", self.status)

        class Bad(ProcTask):
            def on_start(self):
                raise ValueError("not today")

        class BadEnd(ProcTask):
            async def on_end(self):
                raise ValueError("too late")

        hsched.export(TaskGroup([
            Async(["echo", "${task_name}", "$x"], task_name="async"),
            Plain("echo ${fullname} $A; exit 3", task_name="plain", env={"A": "${task_name}!"}),
            Bad("echo never", task_name="bad"),
            BadEnd("echo done", task_name="badend"),
            Plain("kill -9 $$", task_name="killed"),
        ], group_name="g"))
        """,
    )
    lab.run("hwait", *names)
    assert lab.ok("hlog", "g/async").splitlines() == [
        "Task async starting",
        "async $x",
        "Task async done True g/async",
    ]
    assert lab.ok("hlog", "g/plain").splitlines() == [
        "start running",
        "g/plain plain!",
        "end failed",
    ]
    assert lab.ok("hlog", "g/bad") == ""
    assert lab.ok("hlog", "--err", "g/bad").splitlines()[-1] == "ValueError: not today"
    assert lab.ok("hlog", "g/badend") == "done"
    assert "too late" in lab.ok("hlog", "--err", "g/badend")
    ends = {job["name"]: (job["outcome"], job["exit_status"]) for job in lab.jobs("--all")}
    assert ends == {
        "g/async": ("succeeded", 0),
        "g/plain": ("failed", 3),
        "g/bad": ("failed", 1),
        "g/badend": ("failed", 1),
        "g/killed": ("signalled", None),
    }
    assert lab.ok("hlog", "g/killed").splitlines() == ["start running", "end failed"]


def test_a_killed_task_still_ends_its_hooks(lab: Shell) -> None:
    (name,) = create(
        lab,
        """
        class Tidy(ProcTask):
            def on_end(self):
                print("tidied", flush=True)
        hsched.export(Tidy("echo begun >began; sleep 300", task_name="t"))
        """,
    )
    lab.written("began")
    lab.ok("hsched", "kill", name)
    assert lab.ok("hlog", name) == "tidied"
    assert lab.job("1")["outcome"] == "cancelled"


def test_functions_run_with_what_they_refer_to(lab: Shell) -> None:
    (lab.folder / "beside.py").write_text("def greet():\n    print('from beside')\n")
    names = create(
        lab,
        """
        import asyncio, functools
        from beside import greet
        FACTOR = 6
        def times(n=7):
            print(FACTOR * n, os.environ["HSCHED_FULLNAME"], os.environ["X"])
        async def later():
            await asyncio.sleep(0)
            print("later")
        def fails():
            raise RuntimeError("on purpose")
        hsched.export(ProcTask(times, task_name="times", env={"X": "${task_name}"}))
        hsched.export(ProcTask(functools.partial(print, "partial"), task_name="partial"))
        hsched.export(ProcTask(greet, task_name="greet"))
        hsched.export(ProcTask(later, task_name="later"))
        hsched.export(ProcTask(fails, task_name="fails"))
        hsched.export(ProcTask(lambda: sys.exit(4), task_name="exits"))
        """,
    )
    lab.run("hwait", *names)
    told = {name: lab.ok("hlog", name) for name in names}
    assert told["times"] == "42 times times"
    assert (told["partial"], told["greet"], told["later"]) == ("partial", "from beside", "later")
    shown = lab.ok("hlog", "--err", "fails").splitlines()
    assert shown[-1] == "RuntimeError: on purpose"
    assert "runner.py" not in "".join(shown), "only the user's own frames"
    assert statuses(lab)["fails"] == "failed"
    assert lab.job("6")["exit_status"] == 4


def test_exit_and_retry_is_counted_and_bounded(lab: Shell) -> None:
    (lab.folder / "again.py").write_text(
        "import hsched, os\n"
        "print('try', os.environ['HSCHED_ATTEMPT'])\n"
        "if os.environ['HSCHED_ATTEMPT'] < '3': hsched.exit_and_retry()\n"
    )
    names = create(
        lab,
        f"""
        def again():
            hsched.exit_and_retry()
        hsched.export(ProcTask("{sys.executable} again.py", task_name="third"))
        hsched.export(ProcTask(again, task_name="never", retries=2))
        """,
    )
    lab.run("hwait", *names)
    assert lab.ok("hlog", "third").splitlines() == ["try 1", "try 2", "try 3"]
    third, never = lab.jobs("--all")
    assert (third["outcome"], third["attempt"]) == ("succeeded", 3)
    assert (never["outcome"], never["exit_status"], never["attempt"]) == ("failed", 100, 3)


def test_the_branches_of_a_diamond_overlap_and_a_failure_stops_what_waits(lab: Shell) -> None:
    meet = "touch {0}; while ! test -e {1}; do sleep 0.02; done; echo {0} >>order"
    names = create(
        lab,
        f"""
        a = ProcTask("echo a >>order", task_name="a")
        b = ProcTask("{meet.format("b", "c")}", task_name="b")
        c = ProcTask("{meet.format("c", "b")}", task_name="c")
        d = ProcTask("echo d >>order; exit 7", task_name="d")
        e = ProcTask("echo e >>order", task_name="e")
        graph = TaskGraph()
        graph.add_edges_from([(a, b), (a, c), (b, d), (c, d), (d, e)])
        hsched.export(TaskGroup([a], graph, group_name="diamond"))
        bad = ProcTask("false", task_name="bad")
        after = ProcTask("echo all the same", task_name="after")
        hsched.export(TaskGroup([bad, after], "sequential", "go-on", on_failure="continue"))
        """,
    )
    lab.run("hwait", *names)
    order = (lab.folder / "order").read_text().split()
    assert (order[0], sorted(order[1:3]), order[3:]) == ("a", ["b", "c"], ["d"])
    assert statuses(lab) == {
        "diamond/a": "done",
        "diamond/b": "done",
        "diamond/c": "done",
        "diamond/d": "failed",
        "diamond/e": "dependency failed",
        "go-on/bad": "failed",
        "go-on/after": "done",
    }
    reason = json.loads(lab.ok("hjobs", "5", "--all", "--json"))[0]["reason"]
    assert "job 4 failed" in reason


def test_arguments_lists_options_and_names_reach_a_script(lab: Shell) -> None:
    text = """
        print("to standard error")
        for n in range(2):
            hsched.export(ProcTask(["echo", *sys.argv[1:]], task_name=f"t{n}-{sys.argv[-1]}"))
    """
    done = lab.run("hsched", "create", script(lab, text), "-m", "-p", "4", "--", "--lr", "[1,2]")
    assert done.stdout.split() == ["t0-1", "t1-1", "t0-2", "t1-2"]
    assert "to standard error" in done.stderr
    lab.ok("hwait", *done.stdout.split())
    assert lab.ok("hlog", "t1-2") == "--lr 2"
    assert {job["priority"] for job in lab.jobs("--all")} == {4}
    assert create(lab, text, "-g", "-n", "grid", "--", "x") == ["grid/t0-x", "grid/t1-x"]
    renamed = lab.run("hsched", "create", "task.py", "-n", "one", "--", "x")
    assert renamed.returncode == 1 + 1
    assert "exported 2 tasks, and -n names one" in renamed.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pass", "exported nothing; end it with `hsched.export(task)`"),
        ("raise ValueError('mine')", "task.py ended with status 1; nothing was submitted"),
        ("hsched.export(ProcTask('true')); sys.exit(3)", "ended with status 3; nothing"),
        ("hsched.export(ProcTask('true')); os._exit(0)", "ended without a word; nothing"),
        ("hsched.export(ProcTask('true')); os.kill(os.getpid(), 9)", "ended by signal 9"),
        ("def f(:", "ended with status 1; nothing was submitted"),
        ("hsched.export(TaskGraph())", "status 1"),
        ("hsched.export(7)", "status 1"),
        (
            "import threading\nL = threading.Lock()\ndef f():\n    L.acquire()\n"
            "hsched.export(ProcTask(f, task_name='f'))",
            "task f cannot be pickled: function `f` -> global `L`, a _thread.lock: TypeError: "
            "cannot pickle '_thread.lock' object",
        ),
        (
            "t = ProcTask('true', task_name='t')\nhsched.export(t)\nhsched.export(t)",
            "t stands twice",
        ),
    ],
)
def test_a_script_that_fails_submits_nothing(shell: Shell, text: str, said: str) -> None:
    (shell.folder / "task.py").write_text(HEAD + text + "\n")
    done = shell.run("hsched", "create", "task.py")
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr.splitlines()[-1]
    if "mine" in text:
        assert 'task.py", line 4, in <module>' in done.stderr
        assert "ValueError: mine" in done.stderr
        assert "script.py" not in done.stderr
    assert not shell.state.exists(), "no scheduler was started for it"


def test_exit_of_a_script_that_went_well_is_no_failure(lab: Shell) -> None:
    assert create(lab, "hsched.export(ProcTask('true', task_name='t')); sys.exit()") == ["t"]


def test_a_script_that_takes_long_is_told(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripts, "_QUIET_S", 0.01)
    fifo = shell.folder / "fifo"
    subprocess.run(["mkfifo", fifo], check=True)
    path = shell.folder / script(
        shell, f"open({str(fifo)!r}).read(); hsched.export(ProcTask('true', task_name='t'))"
    )
    told: list[str] = []
    release = threading.Event()

    def let_it_end() -> None:
        release.wait(60)
        fifo.write_text("go")

    helper = threading.Thread(target=let_it_end)
    helper.start()

    def tell(line: str) -> None:
        told.append(line)
        release.set()

    plan, _ = scripts.gather(str(path), [], tell)
    helper.join()
    assert [task.name for task in plan.tasks] == ["t"]
    assert "task.py has been running for" in told[0]


def test_a_script_that_is_interrupted_is_no_plan(shell: Shell) -> None:
    path = shell.folder / script(shell, f"os.kill(os.getpid(), {int(signal.SIGINT)})")
    with pytest.raises(TaskError, match="nothing was submitted"):
        scripts.gather(str(path), [], print)


def test_run_as_any_other_script_it_says_what_to_do(shell: Shell) -> None:
    script(shell, "hsched.export(ProcTask('true'))")
    done = shell.run(sys.executable, "task.py")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "hsched: nothing was submitted; `hsched create task.py` does that\n"


def test_ten_thousand_tasks_are_one_batch_and_all_or_none(lab: Shell) -> None:
    text = """
        tasks = [ProcTask("true", task_name=f"t{n}") for n in range(10_000)]
        stages = [TaskGroup(tasks[:5000], group_name="x"), TaskGroup(tasks[5000:], group_name="y")]
        hsched.export(TaskGroup(stages, "sequential", "g"))
        hsched.export(ProcTask("true", task_name="last", slots=sys.argv[1]))
    """
    lab.ok("hsched", "create", "sleep 300", "-n", "block", "--slots", "4")
    refused = lab.run("hsched", "create", script(lab, text), "--", "cores=5")
    assert refused.returncode == 2
    assert "no 5 cores" in refused.stderr
    assert len(lab.jobs()) == 1
    names = create(lab, text, "--", "cores=1")
    assert len(names) == 10_002
    assert lab.ok("hnslots", "used") == "4"
    lab.ok("hsched", "exit", "--force")


def test_the_graph_of_the_documentation_runs_as_it_stands(lab: Shell) -> None:
    text = (Path(__file__).parents[2] / "docs" / "tasks.md").read_text()
    (code,) = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
    (lab.folder / "task.py").write_text(code)
    names = lab.ok("hsched", "create", "task.py").split()
    assert lab.run("hwait", *names).returncode == 3
    folder = lab.job("1")["out"].removesuffix("/stdout.log")
    assert lab.ok("hlog", names[0]) == f"fetched  into {folder}"
    told = {name: lab.ok("hlog", f"diamond/{name}").splitlines() for name in ("left", "right")}
    for side, end in (("left", "done"), ("right", "failed")):
        assert told[side] == [f"diamond/{side} starts", side, f"diamond/{side} is {end}"]
    assert lab.ok("hlog", "diamond/report") == "a short report"


def test_from_python_tasks_are_submitted_without_a_script(lab: Shell) -> None:
    code = (
        "from hsched.tasks import ProcTask, submit\n"
        "job, = submit(ProcTask(lambda: print('hi'), task_name='t'))\n"
        "print(job.wait().outcome)\n"
    )
    assert lab.ok(sys.executable, "-c", code) == "succeeded"
    assert lab.ok("hlog", "t") == "hi"
