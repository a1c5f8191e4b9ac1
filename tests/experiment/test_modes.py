"""Running, writing or telling only; leaving without waiting; what a person sees meanwhile."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

from tests.experiment.lab import Lab

PAIR = """
    class A(Task):
        x: Param[int]
        def execute(self):
            mark(f"a{self.x}")

    class B(Task):
        a: Param[A]
        def execute(self):
            mark(f"b{self.a.x}")

    if __name__ == "__main__":
        with experiment(HERE / "W", "e", {options}) as xp:
            B.C(a=A.C(x=1).submit()).submit()
            {body}
"""


def pair(options: str = "", body: str = "pass") -> str:
    """Return the script with this in its places."""
    return PAIR.replace("{options}", options).replace("{body}", body)


def test_to_generate_is_to_write_and_not_to_run(lab: Lab) -> None:
    lab.ok(pair("run_mode=RunMode.GENERATE_ONLY"))
    assert lab.marks() == []
    assert {"b.py", "params.json"} <= {entry.name for entry in lab.task("b").iterdir()}
    lab.shell.ok(lab.task("b") / "b.py")
    assert lab.marks() == ["b1"]


def test_a_dry_run_tells_and_writes_nothing(lab: Lab) -> None:
    done = lab.run(pair("run_mode=RunMode.DRY_RUN"))
    assert done.returncode == 0
    assert done.stderr.count("[not run] Simulating") == 2
    assert "Dependency: script.a/" in done.stderr
    assert lab.marks() == []
    assert not list(lab.workspace.glob("jobs/*/*"))


def test_one_may_leave_without_waiting(lab: Lab) -> None:
    done = lab.run(pair(body="raise GracefulExperimentExit"))
    assert done.returncode == 0
    assert lab.status()["status"] == "detached"
    lab.until_marked("a1", "b1")


def test_to_stop_is_to_end_the_tasks(lab: Lab) -> None:
    body = 'until(lambda: (HERE / "marks").exists()); xp.stop()'
    text = pair(body=body).replace("self.x}", 'self.x}"); time.sleep(3600); mark(f"{self.x}')
    done = lab.run(text)
    assert done.returncode == 1
    assert "(cancelled: " in done.stderr
    assert lab.marks() == ["a1"]
    assert lab.shell.jobs() == []


def test_the_members_of_an_experiment(lab: Lab) -> None:
    lab.ok(
        pair(
            body="""
            assert xp is experiment.current()
            assert xp.wait() and not xp.failed and xp.failedJobs == []
            assert [job.name for job in xp.jobs] == ["a", "b"]
            assert xp.jobspath == HERE / "W" / "jobs"
            assert xp.workdir.parent == HERE / "W" / "experiments" / "e"
            assert xp.resultspath.is_dir()
            assert xp.jobs[0].wait().finished
            """
        )
    )
    environment = json.loads((lab.workspace / "experiments/e/current/environment.json").read_text())
    assert environment["executable"] == sys.executable


def test_an_output_is_wrapped_in_a_configuration_of_its_own(lab: Lab) -> None:
    lab.ok(
        """
        class Out(Config):
            path: Meta[Path]

        class A(Task):
            k: Param[int]
            path: Meta[Path] = field(default_factory=PathGenerator("k"))
            def task_outputs(self, dep):
                return dep(Out.C(path=self.path))
            def execute(self):
                self.path.write_text(str(self.k))

        class B(Task):
            out: Param[Out]
            def execute(self):
                mark(self.out.path.read_text())

        if __name__ == "__main__":
            with experiment(HERE / "W", "e"):
                jobs = {B.C(out=A.C(k=k).submit()).submit().job for k in (1, 2)}
            assert len(jobs) == 2
        """
    )
    assert sorted(lab.marks()) == ["1", "2"]


def on_terminal(lab: Lab, text: str) -> str:
    """Return what a script writes to a terminal."""
    path = lab.script(text)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, str(path)],
        cwd=lab.folder,
        env={**lab.shell.env, "TERM": "xterm", "COLUMNS": "100"},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    seen = b""
    try:
        while block := os.read(ours, 65536):
            seen += block
    except OSError:
        pass  # a terminal whose last writer is gone
    os.close(ours)
    assert process.wait() == 0, seen
    return seen.decode()


def test_a_person_at_a_terminal_sees_a_bar(lab: Lab) -> None:
    seen = on_terminal(lab, pair())
    assert "2/2" in seen
    assert "e " in seen
    assert "2/2" not in lab.ok(pair())
