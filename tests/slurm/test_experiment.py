"""Experiments on a cluster: each task runs once, with the options of its launcher."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.shell import Shell
from tests.experiment.lab import Lab
from tests.slurm.cluster import Cluster

pytestmark = pytest.mark.slow

SCRIPT = """
    from hsched.experiment.launchers.slurm import SlurmLauncher, SlurmOptions

    class Learn(ResumableTask):
        seed: Param[int]
        def execute(self):
            mark(f"learn {os.environ['SLURM_CPUS_ON_NODE']} {os.environ['CUDA_VISIBLE_DEVICES']}")
            first, second = self.remaining_time(), self.remaining_time()
            mark(f"left {second < first} {round(first)}")
            until((HERE / "go").exists)

    class Test(Task):
        learnt: Param[Learn]
        ends: Param[str]
        def execute(self):
            mark(f"test {os.environ['QUEUE0']}")
            assert self.ends == "well"

    if __name__ == "__main__":
        options = SlurmOptions(partition="main", time="0:30:00", cpus_per_task=3)
        launcher = SlurmLauncher(options=options).config(gpus=1, mem="2G")
        with experiment(HERE / "W", "e"):
            learnt = Learn.C(seed=1).submit(launcher=launcher)
            for ends in sys.argv[1:]:
                Test.C(learnt=learnt, ends=ends).submit(slots="2")
"""

#: Notes that it was asked, and by whom.
SQUEUE = """\
#!/bin/sh
echo "squeue $SLURM_JOB_ID" >>{marks}
exec /usr/bin/squeue "$@"
"""


@pytest.fixture
def lab(sched: Shell) -> Iterator[Lab]:
    """A folder for scripts, at a scheduler whose jobs run on the cluster."""
    made = Lab(sched, "lab")
    squeue = made.folder / "bin" / "squeue"
    squeue.parent.mkdir()
    squeue.write_text(SQUEUE.format(marks=made.folder / "marks"))
    squeue.chmod(0o755)
    sched.env["PATH"] = f"{squeue.parent}:{sched.env['PATH']}"
    try:
        yield made
    finally:
        made.close()


def test_tasks_run_once_with_the_options_of_their_launcher(cluster: Cluster, lab: Lab) -> None:
    driver = lab.start(SCRIPT, "well")
    learning = lab.until(lambda: [m for m in lab.marks() if m.startswith("left")], "it runs")
    (job,) = (one for one in lab.shell.jobs() if one["name"] == "learn")
    shown = cluster.run("scontrol", "show", "job", "-o", job["engine_id"]).stdout
    asked = {"Partition=main", "TimeLimit=00:30:00", "CPUs/Task=3", "MinMemoryNode=2G"}
    assert asked <= set(shown.split()), shown
    assert "gpu:1" in shown
    assert lab.marks()[0].startswith("learn ")
    assert lab.marks()[0].split()[2] in ("0", "1")
    assert lab.marks()[1] == f"squeue {job['engine_id']}", "Slurm is asked, once"
    word, decreases, seconds = learning[0].split()
    assert (word, decreases, len(lab.marks())) == ("left", "True", 3)
    assert 1500 < int(seconds) <= 1800
    lab.kill(driver)

    again = lab.start("", "well", "badly")  # takes up what the first one has left
    lab.allow("go")
    status, said = lab.end(again)
    assert (status, "1 of 3 tasks" in said) == (1, True), said
    ran = sorted(mark for mark in lab.marks() if not mark.startswith("squeue"))
    assert [mark.split()[0] for mark in ran] == ["learn", "left", "test", "test"]
    assert set(ran[2:]) == {"test 0,1"}
    folder = lab.task("learn")
    assert "#SBATCH --cpus-per-task=3\n" in (folder / "learn.sh").read_text()
    assert not (folder / "learn.wait.sh").exists()

    lab.ok("", "well")  # all of that is done
    assert len([mark for mark in lab.marks() if mark.startswith("test")]) == 2
