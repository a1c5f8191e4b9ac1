"""What a task finds around it: variables, hooks, caches, tokens, launchers."""

from __future__ import annotations

import json
import os
import stat

import pytest

from hsched.errors import WrongUsage
from hsched.experiment.launchers.slurm import SlurmLauncher, SlurmOptions
from tests.experiment.lab import Lab

HOOKS = """
    from hsched.experiment.core.types import SubmitHook
    from hsched.experiment.scheduler.jobs import Job
    from hsched.experiment.launchers import Launcher

    class needs_java(SubmitHook):
        def __init__(self, version):
            self.version = version
        def spec(self):
            return self.version
        def process(self, job: Job, launcher: Launcher):
            print("process", self.version, type(launcher).__name__, job.name)
            job.environ[f"JAVA{self.version}_HOME"] = f"/java/{self.version}"

    @needs_java(11)
    class Index(Config):
        x: Param[int]

    @needs_java(11)
    @needs_java(12)
    class Search(Task):
        index: Param[Index]
        def execute(self):
            for name in sys.argv[1:] or ("JAVA11_HOME", "JAVA12_HOME", "PLAIN"):
                mark(f"{name}={os.environ.get(name)}")
            mark(str({"PATH", "HOME"} <= os.environ.keys()))

    class After(Task):
        search: Param[Search]
        def execute(self):
            mark(f"after {os.environ.get('JAVA11_HOME')}")

    if __name__ == "__main__":
        with experiment(HERE / "W", "e") as xp:
            xp.setenv("PLAIN", "plain")
            xp.setenv("PLAIN", "other", override=False)
            After.C(search=Search.C(index=Index.C(x=1)).submit()).submit()
"""


def test_hooks_add_to_the_environment_and_equal_ones_run_once(lab: Lab) -> None:
    said = lab.ok(HOOKS).splitlines()
    assert sorted(said) == ["process 11 DirectLauncher search", "process 12 DirectLauncher search"]
    assert lab.marks() == [
        "JAVA11_HOME=/java/11",
        "JAVA12_HOME=/java/12",
        "PLAIN=plain",
        "True",
        "after None",  # the hooks of an earlier task are its own
    ]


def test_the_settings_give_variables_and_later_ones_win(lab: Lab) -> None:
    folder = lab.folder / "config" / "hsched"
    folder.mkdir(parents=True)
    (folder / "settings.yaml").write_text(
        "env: {A: all, B: all, C: all}\n"
        f"workspaces: [{{id: w, path: {lab.workspace}, env: {{B: space, C: space}}}}]\n"
    )
    lab.ok(
        """
        class A(Task):
            x: Param[int]
            def execute(self):
                mark(" ".join(os.environ[name] for name in "ABC"))
        if __name__ == "__main__":
            with experiment("w", "e") as xp:
                xp.setenv("C", "run")
                A.C(x=1).submit()
        """,
        env={"XDG_CONFIG_HOME": str(lab.folder / "config"), "A": "mine"},
    )
    assert lab.marks() == ["all space run"]


CACHE = """
    class Terms(Config):
        n: Param[int]
        @cache("terms.json")
        def load(self, path: Path):
            if path.is_file():
                return "cached"
            mark("computes")
            until(lambda: (HERE / "marks").read_text().count("asks") >= 2)
            path.write_text("made")
            return "made"

    class Use(Task):
        terms: Param[Terms]
        who: Param[int]
        def execute(self):
            mark("asks")
            mark(self.terms.load())

    if __name__ == "__main__":
        with experiment(HERE / "W", "e"):
            for who in range(2):
                Use.C(terms=Terms.C(n=1), who=who).submit()
"""


def test_a_cache_is_made_once_by_tasks_that_run_at_the_same_time(lab: Lab) -> None:
    lab.ok(CACHE)
    assert sorted(lab.marks()) == ["asks", "asks", "cached", "computes", "made"]
    (made,) = lab.workspace.glob("config/script.terms/*/terms.json")
    assert made.read_text() == "made"
    lab.ok(CACHE.replace("n=1", "n=2"))
    assert len(list(lab.workspace.glob("config/script.terms/*/terms.json"))) == 2


TOKEN = """
    class A(Task):
        x: Param[int]
        def execute(self):
            mark("+")
            time.sleep(0.05)
            mark("-")

    if __name__ == "__main__":
        with experiment(HERE / "W", sys.argv[1]) as xp:
            token = xp.token("t", 3)
            for x in range(2):
                task = A.C(x=x + 10 * len(sys.argv[1]))
                (token(2, task) if x else task.add_dependencies(token.dependency(2))).submit()
            try:
                token.dependency(4)
            except Exception as error:
                print(error)
"""


def test_a_token_is_counted_across_drivers(lab: Lab) -> None:
    drivers = [lab.start(TOKEN, name) for name in ("e", "ee")]
    for driver in drivers:
        assert lab.end(driver) == (0, "token t: 4 asked for, there are 1 to 3\n")
    assert lab.marks() == ["+", "-"] * 4


def test_a_token_comes_back_when_its_task_is_killed(lab: Lab) -> None:
    text = """
    import signal
    class A(Task):
        x: Param[int]
        def execute(self):
            mark(f"runs")
            if lab_kills := not (HERE / "killed").exists():
                (HERE / "killed").touch()
                os.kill(os.getpid(), signal.SIGKILL)
    if __name__ == "__main__":
        with experiment(HERE / "W", "e") as xp:
            for x in range(2):
                xp.token("once", 1)(1, A.C(x=x)).submit()
    """
    assert lab.run(text).returncode == 1
    assert lab.marks() == ["runs", "runs"]


def test_a_launcher_says_what_tasks_hold_and_a_task_may_say_otherwise(lab: Lab) -> None:
    said = lab.ok(
        """
        from hsched.experiment.launchers import DirectLauncher, DynamicLauncher, Launcher

        class Mine(DirectLauncher):
            def onSubmit(self, job):
                job.environ["FROM"] = "onSubmit"
            def command(self, job):
                return ("/usr/bin/env", "WRAPPED=yes", *super().command(job))

        class A(Task):
            x: Param[int]
            def execute(self):
                mark(f"{os.environ['QUEUE0']} {os.environ['FROM']} {os.environ['WRAPPED']}")

        if __name__ == "__main__":
            mine = Mine(slots="2", priority=2)
            mine.setenv("FROM", "setenv")
            choice = DynamicLauncher([DirectLauncher(priority=1), mine])
            with experiment(HERE / "W", "e", launcher=choice) as xp:
                print(A.C(x=1).submit().job.asked.slots)
                xp.wait()
                print(A.C(x=2).submit(slots="1").job.asked.slots)
            for wrong in (lambda: DynamicLauncher([]), lambda: DirectLauncher(slot="1"),
                          lambda: DynamicLauncher([DirectLauncher()], sample=True)):
                try:
                    wrong()
                except ValueError as error:
                    print("ValueError", error)
                except Exception as error:
                    print(error)
        """
    ).splitlines()
    assert said == [
        "2",
        "1",
        "ValueError DynamicLauncher: no launchers to choose from",
        "DirectLauncher: no option `slot`",
        "ValueError DynamicLauncher: with sample=True every priority is above 0",
    ]
    assert lab.marks() == ["0,1 onSubmit yes", "0 onSubmit yes"]


SLURM = """
    from hsched.experiment.launchers.slurm import SlurmLauncher, SlurmOptions

    class A(Task):
        x: Param[int]
        def execute(self):
            mark(f"runs {os.environ['EXTRA']} {os.environ['SLURM_JOB_ID']}")
            assert self.x

    if __name__ == "__main__":
        launcher = SlurmLauncher(options=SlurmOptions(time="1:00:00"), binpath=str(HERE),
                                 interval=0.05)
        launcher.setenv("EXTRA", "it's")
        with experiment(HERE / "W", "e", launcher=launcher.config(gpus_per_node=2)):
            A.C(x=int(sys.argv[1])).submit()
"""


def fake_slurm(lab: Lab) -> None:
    """Make programs that do what Slurm's do for one job: it runs beside sbatch."""
    programs = {
        "sbatch": f"""cd {lab.folder}; echo "sbatch $@" >>marks; touch live
            (cd "$(dirname "$2")"; SLURM_JOB_ID=7 sh "$2"; rm {lab.folder}/live) >>log 2>&1 &
            echo "7;cluster\"""",
        "srun": 'exec "$@"',
        "squeue": f"[ ! -e {lab.folder}/live ] || echo 7",
        "scancel": f'echo "scancel $1" >>{lab.folder}/marks; rm -f {lab.folder}/live',
    }
    for name, text in programs.items():
        path = lab.folder / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)


def test_a_slurm_launcher_writes_a_script_and_waits_for_its_job(lab: Lab) -> None:
    fake_slurm(lab)
    lab.ok(SLURM, "1")
    folder = lab.task("a")
    script = (folder / "a.sh").read_text()
    lines = script.splitlines()
    assert lines[0] == "#!/bin/sh"
    assert {
        "#SBATCH --job-name=a",
        f"#SBATCH --chdir={folder}",
        f"#SBATCH --output={folder}/a.out",
        f"#SBATCH --error={folder}/a.err",
        "#SBATCH --nodes=1",
        "#SBATCH --time=1:00:00",
        "#SBATCH --gpus-per-node=2",
    } <= set(lines)
    assert lines[-1] == f"exec {lab.folder}/srun ./a.py"
    assert os.stat(folder / "a.sh").st_mode & stat.S_IXUSR
    assert lab.marks() == [f"sbatch --parsable {folder}/a.sh", "runs it's 7"]


def test_a_failure_under_slurm_is_a_failure(lab: Lab) -> None:
    fake_slurm(lab)
    assert lab.run(SLURM, "0").returncode == 1
    failed = json.loads((lab.task("a") / "a.failed").read_text())
    assert failed["message"].startswith("AssertionError")


def test_the_job_of_slurm_is_cancelled_with_its_task(lab: Lab) -> None:
    fake_slurm(lab)
    driver = lab.start(SLURM.replace("assert self.x", "until((HERE / 'go').exists)"), "1")
    lab.until_marked("runs it's 7")
    lab.shell.ok("hkill", "--all")
    lab.allow("go")
    assert lab.end(driver)[0] == 1
    assert "scancel 7" in lab.marks()


def test_a_slurm_launcher_with_other_options_keeps_all_else() -> None:
    launcher = SlurmLauncher(
        options=SlurmOptions(partition="a", nodes=None), interval=3, binpath="/opt/slurm/bin",
        slots="2", time="1h", job_priority=-3, grace=9, priority=2, scheduler="s",
    )  # fmt: skip
    launcher.setenv("A", "b")
    made = launcher.config(gpus_per_node=2)
    assert made.options.words() == ("partition=a", "gpus-per-node=2")
    assert launcher.options.words() == ("partition=a",)
    kept = {**vars(launcher), "options": made.options}
    assert vars(made) == kept
    made.setenv("A", "c")
    assert launcher.environ == {"A": "b"}
    with pytest.raises(WrongUsage, match="no option `gpu`"):
        launcher.config(gpu=1)
    with pytest.raises(WrongUsage, match="control character"):
        launcher.config(mem="1\nG")
