"""hrun on a cluster: by srun, with the caller's streams, terminal and exit status."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.shell import BIN, DEADLINE_S, Shell
from tests.e2e.terminal import Terminal
from tests.slurm.cluster import Cluster
from tests.slurm.conftest import HASTE

pytestmark = pytest.mark.slow

#: A command that says when it is there, ends well when it is told to, and never by itself.
ENDLESS = "trap 'echo bye >bye; exit 0' TERM; echo >up; while :; do sleep 0.05; done"


@pytest.fixture(scope="module")
def hpc(cluster: Cluster) -> Iterator[Shell]:
    """A terminal with one scheduler for all tests of this file."""
    terminal = Shell()
    terminal.env["SLURM_CONF"] = cluster.env["SLURM_CONF"]
    try:
        terminal.ok("hstart", *HASTE, "6,2,32")
        yield terminal
        terminal.ok("hstop", "--force", "--grace", "0")
    finally:
        terminal.close()


@pytest.fixture
def folder(hpc: Shell, request: pytest.FixtureRequest) -> Path:
    """A working folder of this test's own."""
    made: Path = hpc.home / request.node.name.replace("[", "-").rstrip("]")
    made.mkdir()
    return made


@contextlib.contextmanager
def running(hpc: Shell, folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Run hrun beside the test, and end it."""
    with subprocess.Popen(
        ["hrun", *words],
        cwd=folder,
        env=hpc.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def queued(hpc: Shell, name: str) -> str:
    """Wait until Slurm has the job of this name; return its id here."""

    def look() -> str:
        found = [job for job in hpc.jobs() if job["name"] == name and job["engine_id"]]
        return str(found[0]["id"]) if found else ""

    return str(hpc.until(look, f"Slurm has {name}"))


def is_gone(cluster: Cluster, slurm_id: str) -> bool:
    """Whether a job of Slurm has ended."""
    states = {one[0]: one[1] for one in cluster.jobs()}
    return states[slurm_id] not in ("PENDING", "RUNNING", "COMPLETING", "SUSPENDED")


def test_it_is_as_if_it_had_been_typed_alone(hpc: Shell, folder: Path) -> None:
    line = (
        'echo "$QUEUE0|$QUEUE1|$CUDA_VISIBLE_DEVICES|$SLURM_CPUS_ON_NODE|$A|$HSCHED_NAME"; '
        "pwd; umask; cat; echo err >&2; exit 3"
    )
    env = {"A": "b  c", "SLURM_JOB_ID": "99", "SLURM_NTASKS": "7", "CUDA_VISIBLE_DEVICES": "7"}
    words = ("2,1,1", "--job-name", "alone", "-c", line)
    done = hpc.run("hrun", *words, cwd=folder, env=env, input="given\n", umask=0o027)
    assert done.returncode == 3, done
    told, *rest = done.stdout.splitlines()
    assert told.split("|")[2] in ("0", "1")
    assert told.replace("|1|2|", "|0|2|") == "0,1|0|0|2|b  c|default"
    assert rest == [str(folder), "0027", "given"]
    assert "err\n" in done.stderr
    (job,) = (one for one in hpc.jobs("--all") if one["name"] == "alone")
    assert (job["outcome"], job["exit_status"]) == ("failed", 3)
    assert job["submitted_at"] <= job["started_at"] <= job["ended_at"]
    assert hpc.run("hrun", "1", "-c", 'echo "[$CUDA_VISIBLE_DEVICES]"', env=env).stdout == "[]\n"


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["1", "/nope/prog"], 127, "/nope/prog: not found"),
        (["1", "-c", "kill -9 $$"], 137, "Killed"),
        (
            ["--engine-option", "partition=nope", "1", "true"],
            126,
            "invalid partition specified: nope",
        ),
        (["9", "true"], 2, "cores"),
        (["--jobserver", "1", "true"], 125, "hsubmit --jobserver does it"),
        (["--time", "1", "--grace", "0", "1", "sleep", "99"], 124, "timed out"),
    ],
)
def test_how_it_ends(hpc: Shell, words: list[str], status: int, told: str) -> None:
    done = hpc.run("hrun", *words)
    assert (done.returncode, told in done.stderr) == (status, True), done


def test_there_is_no_srun(hpc: Shell) -> None:
    done = hpc.run("hrun", "1", "true", env={"PATH": str(BIN)})
    assert (done.returncode, "no `srun` on PATH" in done.stderr) == (125, True), done


def test_the_request_reaches_slurm(cluster: Cluster, hpc: Shell, folder: Path) -> None:
    words = ("--begin", "+1h", "--time", "90m", "--priority", "-5", "--job-name", "late")
    with running(hpc, folder, *words, "2,1,3", "true") as process:
        identity = queued(hpc, "late")
        slurm_id = hpc.job(identity)["engine_id"]
        shown = cluster.run("scontrol", "show", "job", "-o", slurm_id).stdout
        asked = {"CPUs/Task=2", "MinMemoryNode=3G", "TimeLimit=01:31:00", "Nice=5"}
        assert asked <= set(shown.split()), shown
        assert "gres:gpu:1" in shown
        hpc.until(lambda: "BeginTime" in hpc.ok("hjobs", "--why", identity), "the reason is told")
        refused = hpc.run("hupdate", "--slots", "3", identity)
        assert "by the srun of its hrun" in refused.stderr
        hpc.ok("hkill", identity)
        assert "cancelled" in process.communicate(timeout=DEADLINE_S)[1]
    assert process.returncode == 125
    hpc.until(lambda: is_gone(cluster, slurm_id), "Slurm has let it go")


def test_it_waits_for_other_jobs_and_holds(hpc: Shell, folder: Path) -> None:
    first = hpc.submit("--hold", "1", "exit 4", cwd=folder)
    words = ("--dep", f"afternotok:{first}", "--hold", "--job-name", "held", "1")
    with running(hpc, folder, *words, "-c", "echo ran") as process:
        held = hpc.until(lambda: [j for j in hpc.jobs() if j["name"] == "held"], "it is queued")
        hpc.ok("hrelease", first)
        assert hpc.run("hwait", first).returncode == 4
        hpc.ok("hrelease", held[0]["id"])
        assert process.communicate(timeout=DEADLINE_S)[0] == "ran\n"
    never = hpc.run("hrun", "--dep", f"afterok:{first}", "1", "true")
    assert (never.returncode, "dependency failed" in never.stderr) == (125, True)


@pytest.mark.parametrize("is_seen", [True, False])
def test_hkill_gives_it_its_grace(hpc: Shell, folder: Path, is_seen: bool) -> None:
    with running(hpc, folder, "--job-name", folder.name, "1", "-c", ENDLESS) as process:
        hpc.written(folder / "up")
        (job,) = (one for one in hpc.jobs() if one["name"] == folder.name)
        if is_seen:
            hpc.until(lambda: hpc.job(job["id"])["state"] == "running", "the queue shows it")
            hpc.ok("hsuspend", job["id"])
            hpc.ok("hresume", job["id"])
        after = hpc.submit("--dep", f"afterok:{job['id']}", "1", "true")
        hpc.ok("hkill", job["id"])
        assert "cancelled (hkill)" in process.communicate(timeout=DEADLINE_S)[1]
    assert process.returncode == 125
    assert (folder / "bye").exists()
    assert hpc.job(job["id"])["outcome"] == "cancelled"
    assert hpc.wait(after)["outcome"] == "dependency failed"


@pytest.mark.parametrize("is_srun_killed_too", [False, True])
def test_where_hrun_is_killed_slurm_lets_its_job_go(
    cluster: Cluster, hpc: Shell, folder: Path, is_srun_killed_too: bool
) -> None:
    with running(hpc, folder, "--job-name", folder.name, "1", "-c", ENDLESS) as process:
        hpc.written(folder / "up")
        identity = queued(hpc, folder.name)
        sruns = hpc.pids(f"^srun .*--job-name={folder.name}")
        assert sruns
        process.kill()
        for pid in sruns if is_srun_killed_too else ():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    job = hpc.wait(identity)
    assert (job["outcome"], job["reason"]) == ("cancelled", "its hrun was killed")
    hpc.until(lambda: is_gone(cluster, job["engine_id"]), "Slurm has let it go")


def test_it_does_not_notice_that_the_broker_dies(hpc: Shell, folder: Path) -> None:
    line = "echo >up; until [ -e go ]; do sleep 0.05; done; exit 5"
    held = ("--hold", "--job-name", "waits", "1", "-c", "exit 6")
    with running(hpc, folder, "1", "-c", line) as one, running(hpc, folder, *held) as other:
        hpc.written(folder / "up")
        waits = hpc.until(lambda: [j for j in hpc.jobs() if j["name"] == "waits"], "it is queued")
        hpc.kill_broker()
        (folder / "go").touch()
        assert one.wait(DEADLINE_S) == 5
        hpc.ok("hrelease", waits[0]["id"])
        assert other.wait(DEADLINE_S) == 6


def test_a_job_shares_its_slots_with_hruns_inside(hpc: Shell, folder: Path) -> None:
    line = "for i in 1 2; do hrun 1 -c 'echo $QUEUE0; hrun 1 -c \"echo in $QUEUE0\"' & done; wait"
    identity = hpc.submit("2", line, cwd=folder)
    assert hpc.ok("hwait", identity) == ""
    assert set(hpc.ok("hlog", identity).splitlines()) <= {"0", "1", "in 0", "in 1"}
    inside = hpc.run("hrun", "2", "-c", "hrun 1 -c 'echo $QUEUE0'; hrun 3 true")
    assert inside.stdout == "0\n"
    assert "inside a job hrun runs on the slots of that job" in inside.stderr


def test_that_needs_no_word_of_the_broker(sleepy: Shell) -> None:
    sleepy.submit("2", "hrun 1 -c 'echo $QUEUE0 >batch'")
    assert sleepy.written("batch") == "0\n"
    assert [job["state"] for job in sleepy.jobs()] == ["pending"]  # as far as anybody has looked
    sleepy.ok("hrun", "2", "-c", "hrun 1 -c 'echo $QUEUE0 >inside'")
    assert sleepy.written("inside") == "0\n"


def test_a_terminal_is_that_of_the_command(hpc: Shell) -> None:
    terminal = Terminal(hpc)
    try:
        terminal.type("hrun 1 -c 'stty size; echo be''gun; read x; echo got $x; exit 4'\n")
        assert "24 80" in terminal.expect("begun")
        terminal.type("words\n")
        terminal.expect("got words")
        terminal.expect("ready> ")
        assert terminal.line("echo $?") == "4\n"
        terminal.type("for i in 1 2 3; do hrun 1 -c 'echo be''gun; exec sleep 1000'; done\n")
        terminal.expect("begun")
        terminal.type("\x03")
        assert "begun" not in terminal.expect("ready> ")  # the loop has ended as well
        assert terminal.line("echo $?") == "130\n"
    finally:
        terminal.close()
