"""hsched experiments: what the files of a workspace say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from hsched.cli.experiments import command
from tests.experiment.lab import Lab

MIXED = """
    class Good(Task):
        x: Param[int]
        def execute(self):
            for step in tqdm(range(4), desc="halves"):
                if self.x and step == 2:
                    mark("half way")
                    until((HERE / "go").exists)

    class Bad(Task):
        good: Param[Good]
        def execute(self):
            progress(0.25, desc="a quarter")
            raise ValueError

    class Never(Task):
        bad: Param[Bad]
        def execute(self):
            pass

    if __name__ == "__main__":
        with experiment(HERE / "W", sys.argv[1]):
            bad = Bad.C(good=Good.C(x=tag(0)).submit()).submit()
            Never.C(bad=bad).submit()
            if sys.argv[2:]:
                Good.C(x=tag(1)).submit()
"""


def say(lab: Lab, *words: str) -> Result:
    """Run the command on the workspace of a lab."""
    return CliRunner().invoke(command, [*words, "-w", str(lab.workspace)])


def test_what_a_run_has_come_to(lab: Lab) -> None:
    lab.run(MIXED, "e")
    listed = say(lab, "list").stdout.splitlines()
    assert listed[0].split()[:6] == ["STATUS", "DONE", "RUNNING", "FAILED", "WAITING", "RUNS"]
    assert listed[1].split()[:6] == ["failed", "1", "0", "1", "1", "1"]
    assert listed[1].split()[-1] == "e"
    shown = [line.split() for line in say(lab, "show", "e").stdout.splitlines()[1:]]
    assert [(one[0], one[1], one[2], one[4]) for one in shown] == [
        ("done", "100%", "good", "x=0"),
        ("failed(failed)", "25%", "bad", "x=0"),
        ("waiting", "-", "never", "x=0"),
    ]
    (failed,) = json.loads(say(lab, "show", "e", "--failed", "--json").stdout)
    assert (failed["name"], failed["doing"]) == ("bad", "a quarter")
    assert failed["folder"] == str(lab.task("bad"))


def test_what_goes_on_and_what_was_killed(lab: Lab) -> None:
    driver = lab.start(MIXED, "e", "wait")
    lab.until_marked("half way")
    lab.until(lambda: list(lab.workspace.glob("jobs/*/*/bad.failed")), "the other has failed")

    def listed() -> dict[str, Any]:
        (found,) = json.loads(say(lab, "list", "--json").stdout)
        return dict(found)

    # A task still runs for a moment after it has left its verdict.
    lab.until(lambda: listed()["tasks"]["failed"], "that is listed")
    found = listed()
    assert found["status"] == "running"
    assert found["tasks"] == {"done": 1, "running": 1, "failed": 1, "waiting": 1}
    assert "running           50%" in say(lab, "show", "e").stdout
    assert "experiment e is going on" in say(lab, "clean", "e").stderr
    lab.kill(driver)
    assert json.loads(say(lab, "list", "--json").stdout)[0]["status"] == "killed"
    kept = say(lab, "clean", "e").stdout
    assert str(lab.task("bad")) in kept
    assert "good" not in "".join(f for f in kept.splitlines() if _is_running(lab, f))
    lab.allow("go")


def _is_running(lab: Lab, folder: str) -> bool:
    shown = json.loads(say(lab, "show", "e", "--json").stdout)
    return any(one["folder"] == folder and one["state"] == "running" for one in shown)


def test_only_what_no_experiment_names_is_cleaned(lab: Lab) -> None:
    lab.run(MIXED, "one")
    lab.run("", "two")
    assert say(lab, "clean").stdout == ""
    assert say(lab, "clean", "one", "--perform").stdout.splitlines() == [
        str(lab.workspace / "experiments" / "one")
    ]
    assert lab.tasks("good")
    told = say(lab, "clean", "two")
    assert len(told.stdout.splitlines()) == 4
    assert "nothing was removed" in told.stderr
    assert lab.tasks("good")
    assert say(lab, "clean", "two", "--perform").exit_code == 0
    assert not lab.tasks("good")
    assert say(lab, "list").stdout == ""


@pytest.mark.parametrize(
    ("words", "status", "what"),
    [
        (["frob"], 2, "`frob` must be one of list, show, clean"),
        (["show"], 2, "show takes one NAME"),
        (["list", "--failed"], 2, "--failed does not go with list"),
        (["show", "no"], 1, "no experiment no in"),
        (["show", "e", "--run", "x"], 1, "no run x of experiment e; there are: 2"),
        (["list", "-w", "/nowhere"], 1, "/nowhere is no workspace"),
    ],
)
def test_what_is_wrong_is_told(one_run: Lab, words: list[str], status: int, what: str) -> None:
    given = words if "-w" in words else [*words, "-w", str(one_run.workspace)]
    result = CliRunner().invoke(command, given)
    assert (result.exit_code, what in result.stderr) == (status, True), result.stderr


@pytest.fixture(scope="module")
def one_run(two_cores: object) -> Lab:
    """A workspace with one experiment, which has no task."""
    from tests.e2e.shell import Shell

    assert isinstance(two_cores, Shell)
    made = Lab(two_cores, "one_run")
    made.ok('if __name__ == "__main__":\n    with experiment(HERE / "W", "e"): pass\n')
    return made


def test_old_runs_are_forgotten_but_not_their_results(lab: Lab) -> None:
    lab.ok(
        """
        if __name__ == "__main__":
            for number in range(9):
                with experiment(HERE / "W", "e") as xp:
                    if number == 0:
                        (xp.resultspath / "table").touch()
                    if number == 3:
                        xp.resultspath.rmdir()
        """
    )
    assert json.loads(say(lab, "list", "--json").stdout)[0]["runs"] == 7
