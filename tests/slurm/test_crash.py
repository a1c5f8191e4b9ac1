"""Whatever is killed or goes away, each job is submitted once, runs once, and is not lost."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.shell import Shell
from tests.slurm.cluster import Cluster

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture
def stack() -> Iterator[contextlib.ExitStack]:
    """What is entered here is left at the end of the test."""
    with contextlib.ExitStack() as one:
        yield one


@contextlib.contextmanager
def faulty_broker(shell: Shell, step: str, times: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run a broker that dies at a step."""
    env = {**shell.env, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.slurm.faulty_broker", step, str(times)]
    with subprocess.Popen(command, env=env, cwd=ROOT) as broker:
        shell.until((shell.state / "default/address").exists, "the broker is up")
        yield broker
        broker.kill()


def ours(cluster: Cluster, shell: Shell) -> list[list[str]]:
    """Return the jobs of the current run that Slurm knows, whatever their state."""
    jobs = shell.jobs("--all")
    ids = {str(job["engine_id"]).split("_")[0] for job in jobs}
    comments = {one[3].rsplit(":", 2)[0] for one in cluster.jobs() if one[0].split("_")[0] in ids}
    assert len(comments) == 1, "all jobs of a run have one mark"
    (mark,) = comments
    return [one for one in cluster.jobs() if one[3].startswith(f"{mark}:")]


@pytest.mark.parametrize(
    ("step", "times"),
    [("after replies", 1), ("before sbatch", 2), ("after sbatch", 1), ("after sbatch", 2)],
)
def test_a_broker_killed_at_any_step_submits_nothing_twice(
    cluster: Cluster, shell: Shell, step: str, times: int
) -> None:
    with faulty_broker(shell, step, times) as broker:
        first = shell.submit("1", "echo a >> log; exit 4")
        second = shell.submit(
            "1", "--array", "0-1", "--dep", f"afternotok:{first}", "echo b >> log"
        )
        assert shell.run("hwait", first).returncode == 4
        assert shell.ok("hwait", second) == ""
        assert broker.wait(1) == -9
    assert sorted((shell.folder / "log").read_text().split()) == ["a", "b", "b"]
    assert len(ours(cluster, shell)) == 3


def test_what_ends_while_no_broker_lives_is_known_for_what_it_was(
    cluster: Cluster, sched: Shell
) -> None:
    bad = sched.submit("1", "echo > up; until [ -e go ]; do sleep 0.05; done; exit 5")
    after = sched.submit("1", "--dep", f"afternotok:{bad}", "echo ran > after")
    sched.written("up")
    sched.until(lambda: sched.job(after)["engine_id"], "the dependant is in the queue")
    sched.kill_broker()
    (sched.folder / "go").touch()
    sched.written("after")  # Slurm started it alone
    assert sched.run("hwait", bad).returncode == 5
    assert sched.ok("hwait", after) == ""


def test_a_controller_that_is_away_loses_nothing(
    cluster: Cluster, sched: Shell, stack: contextlib.ExitStack
) -> None:
    running = sched.submit("1", "echo > up; until [ -e go ]; do sleep 0.05; done; exit 6")
    sched.written("up")
    sched.until(lambda: sched.job(running)["state"] == "running", "the broker knows that it runs")
    cluster.stop_controller()
    try:
        waiting = sched.submit("1", "echo late > late")
        here = stack.enter_context(
            subprocess.Popen(
                ["hrun", "1", "-c", "echo here"], env=sched.env, stdout=subprocess.PIPE, text=True
            )
        )
        told = "Unable to contact slurm controller"
        sched.until(lambda: told in sched.ok("hjobs", "--why", waiting), "it says why it waits")
        (sched.folder / "go").touch()
        record = sched.state / f"default/current/slurm/{running}-1"
        sched.until(lambda: b"exited 6" in record.read_bytes(), "the job has ended")
        assert sched.job(running)["state"] == "running"
    finally:
        cluster.start_controller()
    assert sched.run("hwait", running).returncode == 6
    assert sched.ok("hwait", waiting) == ""
    assert (sched.folder / "late").read_text() == "late\n"
    assert here.communicate(timeout=60)[0] == "here\n"
    assert len(ours(cluster, sched)) == 3


def test_what_slurm_has_forgotten_is_told_by_the_record_or_lost(
    cluster: Cluster, sched: Shell
) -> None:
    done = sched.submit("1", "echo > up; until [ -e go ]; do sleep 0.05; done; exit 3")
    held = sched.submit("1", "--hold", "true")
    after = sched.submit("1", "--dep", f"afternotok:{done}", "echo ran > after")
    sched.until(lambda: sched.job(after)["engine_id"], "all are in the queue")
    sched.written("up")
    sched.kill_broker()
    record = sched.state / f"default/current/slurm/{done}-1"
    sched_folder = sched.folder
    cluster.run("scontrol", "uhold", _queued(cluster, "after"))
    (sched_folder / "go").touch()
    sched.until(lambda: b"exited 3" in record.read_bytes(), "the first has ended")
    cluster.stop_controller()
    cluster.start_controller("-c")
    cluster.until(lambda: cluster.run("sinfo", "-h", "-o", "%T").stdout.split()[:1] == ["idle"])
    assert sched.run("hwait", done).returncode == 3
    lost = sched.wait(held)
    assert (lost["outcome"], "forgotten" in lost["reason"]) == ("lost", True)
    assert sched.wait(after)["outcome"] == "lost"
    fresh = sched.submit("1", "true")
    assert sched.ok("hwait", fresh) == ""


def _queued(cluster: Cluster, _name: str) -> str:
    return cluster.run("squeue", "-h", "-t", "PENDING", "-S", "-i", "-o", "%i").stdout.split()[0]


def test_a_second_job_for_the_same_is_cancelled(cluster: Cluster, sched: Shell) -> None:
    first = sched.submit("1", "--hold", "true")
    sched.until(lambda: sched.job(first)["engine_id"], "it is in the queue")
    ((mine, _, _, comment),) = ours(cluster, sched)
    late = cluster.run("sbatch", "--parsable", "--hold", f"--comment={comment}", "--wrap=true")
    sched.ok("hrelease", first)
    assert sched.ok("hwait", first) == ""
    assert sched.job(first)["engine_id"] == mine
    sched.submit("1", "--hold", "true")  # while a job is live the queue is looked at
    other = late.stdout.strip()
    sched.until(lambda: [other, "CANCELLED"] in [one[:2] for one in cluster.jobs()], "it is gone")


def test_a_drained_scheduler_holds_its_jobs_in_slurm(cluster: Cluster, sched: Shell) -> None:
    running = sched.submit("1", "echo > up; until [ -e go ]; do sleep 0.05; done")
    waiting = sched.submit("1", "--dep", f"afterany:{running}", "echo ran > after")
    sched.written("up")
    sched.until(lambda: sched.job(waiting)["engine_id"], "it is in the queue")
    sched.ok("hstop", "--drain")
    slurm_id = sched.job(waiting)["engine_id"]
    held = [slurm_id, "PENDING", "JobHeldUser"]
    sched.until(lambda: held in [one[:3] for one in cluster.jobs()], "Slurm holds it")
    (sched.folder / "go").touch()
    sched.until(lambda: not sched.run("hstart", "--continue").returncode, "it is back")
    assert sched.ok("hwait", waiting) == ""
    assert sched.job(waiting)["engine_id"] == slurm_id


def test_a_drained_scheduler_asks_whether_anything_runs(sleepy: Shell) -> None:
    running = sleepy.submit("1", "echo > up; until [ -e go ]; do sleep 0.05; done; exit 3")
    sleepy.written("up")
    assert sleepy.job(running)["state"] == "pending"  # as far as anybody has looked
    assert "it stops when Slurm holds what is pending" in sleepy.ok("hstop", "--drain")
    sleepy.until(lambda: sleepy.job(running)["state"] == "running", "it has looked")
    (sleepy.folder / "go").touch()
    record = sleepy.state / f"default/current/slurm/{running}-1"
    sleepy.until(lambda: b"exited 3" in record.read_bytes(), "the job has ended")
    sleepy.kill_broker()  # the next one looks
    assert sleepy.wait(running)["exit_status"] == 3
    sleepy.until(lambda: not (sleepy.state / "default/address").exists(), "it has stopped")


def test_a_job_of_which_nobody_knew_that_it_runs_is_killed_with_its_grace(sleepy: Shell) -> None:
    line = "trap 'sleep 0.5; echo bye > bye; exit' TERM; echo > up; sleep 987 & wait"
    identity = sleepy.submit("1", line)
    sleepy.written("up")
    assert sleepy.job(identity)["state"] == "pending"
    sleepy.ok("hkill", identity)
    assert (sleepy.folder / "bye").exists()
    assert sleepy.job(identity)["outcome"] == "cancelled"


def test_a_job_that_is_cancelled_while_the_controller_is_away(
    cluster: Cluster, sched: Shell
) -> None:
    held = sched.submit("1", "--hold", "true")
    sched.until(lambda: sched.job(held)["engine_id"], "it is in the queue")
    cluster.stop_controller()
    try:
        with subprocess.Popen(
            ["hkill", held], env=sched.env, cwd=sched.folder, stdin=subprocess.DEVNULL
        ) as killing:
            sched.until(lambda: sched.job(held)["state"] == "stopping", "it shall end")
            sched.kill_broker()
            cluster.start_controller()
            assert killing.wait(60) == 0
    finally:
        if "slurmctld" not in cluster._daemons:
            cluster.start_controller()
    assert sched.job(held)["outcome"] == "cancelled"
    assert [one[1] for one in ours(cluster, sched)] == ["CANCELLED"]
