"""What users do on a workstation they do on a cluster, with the same words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.shell import Shell
from tests.slurm.cluster import Cluster
from tests.slurm.conftest import HASTE

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def hpc(cluster: Cluster) -> Iterator[Shell]:
    """A terminal with one scheduler for all tests of this file."""
    terminal = Shell()
    terminal.env["SLURM_CONF"] = cluster.env["SLURM_CONF"]
    try:
        terminal.ok(
            "hstart", *HASTE, "--engine-option", "nice=10", "cores=6,gpus=2,mem=32G,matlab=3"
        )
        yield terminal
        assert "stopped" in terminal.ok("hstop", "--force", "--grace", "0")
    finally:
        terminal.close()


def slurm_job(cluster: Cluster, shell: Shell, identity: str) -> dict[str, str]:
    """Return what Slurm says of a job, by the id that ``--json`` tells."""
    slurm_id = shell.job(identity)["engine_id"]
    shown = cluster.run("scontrol", "show", "job", "-o", slurm_id).stdout
    return dict(field.split("=", 1) for field in shown.split() if "=" in field)


def submitted(shell: Shell, *words: str) -> str:
    """Submit a job and wait until Slurm has it."""
    identity = shell.submit(*words)
    shell.until(lambda: shell.job(identity)["engine_id"], f"job {identity} is in Slurm's queue")
    return identity


def test_a_job_sees_what_it_would_see_at_home(hpc: Shell) -> None:
    folder = hpc.folder / "deep er"
    folder.mkdir()
    line = (
        'echo "$QUEUE0|$QUEUE1|$QUEUE2|$CUDA_VISIBLE_DEVICES|$HSCHED_JOB_ID|$HSCHED_ATTEMPT|$A"; '
        'pwd; test "$SLURM_CPUS_PER_TASK" = 2; umask; cat; ls nowhere'
    )
    env = {"A": "b  c\n'd", "CUDA_VISIBLE_DEVICES": "7", "SLURM_CPUS_PER_TASK": "9"}
    (folder / "in").write_text("from a file\n")
    where = {"cwd": folder, "env": env, "umask": 0o027}
    identity = hpc.submit("2,1,4G", "--in", "in", "-o", "%j.out", "-e", "e", "-c", line, **where)
    job = hpc.wait(identity)
    assert job["outcome"] == "failed", job
    seen = (folder / f"{identity}.out").read_text()
    device = seen.split("|")[3]
    assert device in ("0", "1")
    expected = f"0,1|0|4|{device}|{identity}|1|b  c\n'd\n{folder}\n0027\nfrom a file\n"
    assert seen == expected
    assert "nowhere" in (folder / "e").read_text()
    assert job["allocation"]["cores"] == {"amount": 2, "slots": [0, 1]}
    assert job["submitted_at"] <= job["started_at"] <= job["ended_at"]
    assert job["cpu_s"] is not None


def test_status_tells_who_runs_the_jobs(hpc: Shell) -> None:
    assert json.loads(hpc.ok("hstatus", "--json"))[0]["engine"] == "slurm"


def test_a_job_without_gpus_sees_none_and_what_env_says_wins(hpc: Shell) -> None:
    first = hpc.submit("1", 'echo "[$CUDA_VISIBLE_DEVICES]"')
    second = hpc.submit("1,1", "--env", "CUDA_VISIBLE_DEVICES=x", 'echo "[$CUDA_VISIBLE_DEVICES]"')
    assert hpc.ok("hwait", first, second) == ""
    assert [hpc.ok("hlog", one) for one in (first, second)] == ["[]", "[x]"]


def test_the_request_reaches_slurm(cluster: Cluster, hpc: Shell) -> None:
    identity = submitted(
        hpc, "--hold", "--time", "90m", "--priority", "-5", "--job-name", "night run",
        "--retries", "2", "2,1,3G,1", "true",
    )  # fmt: skip
    found = slurm_job(cluster, hpc, identity)
    assert (found["NumCPUs"], found["MinMemoryNode"], found["Licenses"]) == ("2", "3G", "matlab:1")
    assert (found["TimeLimit"], found["Nice"], found["Requeue"]) == ("01:31:00", "15", "1")
    assert "gres:gpu:1" in found["TresPerNode"]
    assert found["Reason"] == "JobHeldUser"
    assert "slurm job" in hpc.ok("hjobs", "--why", identity)
    hpc.ok("hkill", identity)
    hpc.until(lambda: slurm_job(cluster, hpc, identity)["JobState"] == "CANCELLED", "it is gone")


def test_dependencies_of_every_kind(hpc: Shell) -> None:
    bad = hpc.submit("1", "--hold", "exit 3")
    edges = {kind: submitted(hpc, "--dep", f"{kind}:{bad}", "1", "true") if kind != "afterok" else
             hpc.submit("--dep", f"{kind}:{bad}", "1", "true")
             for kind in ("after", "afterok", "afterany", "afternotok")}  # fmt: skip
    last = hpc.submit(
        "--dep", f"afterok:{edges['afternotok']}", "--dep", edges["after"], "1", "true"
    )
    doomed = hpc.submit("--dep", f"afterok:{edges['afterok']}", "1", "true")
    hpc.ok("hrelease", bad)
    assert hpc.run("hwait", bad).returncode == 3
    assert hpc.ok("hwait", last, edges["afterany"]) == ""
    assert hpc.wait(edges["afterok"])["outcome"] == "dependency failed"
    assert hpc.wait(doomed)["reason"].startswith("afterok: job")
    # The upstream is done by now, and hsched knows how it ended without Slurm.
    late = hpc.submit("--dep", f"afternotok:{bad}", "1", "true")
    assert hpc.ok("hwait", late) == ""


def test_an_array_is_one_job_of_slurm(cluster: Cluster, hpc: Shell) -> None:
    line = 'echo "$HSCHED_ARRAY_INDEX $HSCHED_JOB_ID"; exit "$HSCHED_ARRAY_INDEX"'
    array = hpc.submit("1", "--array", "0-4:2%2", "-o", "part/%a", "--job-name", "parts", line)
    after = hpc.submit("1", "--dep", f"afternotok:{array}", "true")
    assert hpc.run("hwait", array).returncode == 4
    assert hpc.ok("hwait", after) == ""
    for index in (0, 2, 4):
        assert (hpc.folder / f"part/{index}").read_text() == f"{index} {array}.{index}\n"
    ids = {hpc.job(f"{array}.{index}")["engine_id"] for index in (0, 2, 4)}
    assert len({one.split("_")[0] for one in ids}) == 1


def test_kill_ends_the_whole_tree(cluster: Cluster, hpc: Shell) -> None:
    line = "trap 'echo bye > bye; exit 0' TERM; setsid sleep 987 & echo $! > pid; wait; exit 1"
    identity = hpc.submit("1", line)
    pid = int(hpc.written("pid"))
    hpc.ok("hkill", identity)
    assert not Path(f"/proc/{pid}").exists()
    assert hpc.job(identity)["outcome"] == "cancelled"
    assert (hpc.folder / "bye").exists()
    # Also Slurm's own dependencies must not take it for done.
    unsuccessful = ("FAILED", "CANCELLED")
    hpc.until(lambda: slurm_job(cluster, hpc, identity)["JobState"] in unsuccessful, "it has ended")


def test_signals_and_suspension(hpc: Shell) -> None:
    line = "trap 'echo got > got; exit 0' USR1; echo > up; while :; do sleep 0.05; done"
    identity = hpc.submit("1", line)
    hpc.written("up")
    hpc.until(lambda: hpc.job(identity)["state"] == "running", "it runs")
    hpc.ok("hsuspend", identity)
    assert "suspended" in hpc.ok("hjobs", identity)
    hpc.ok("hresume", identity)
    hpc.ok("hkill", "--signal", "USR1", identity)
    assert hpc.ok("hwait", identity) == ""


def test_a_failure_is_tried_again_in_the_queue(hpc: Shell) -> None:
    line = '[ "$HSCHED_ATTEMPT" = 2 ] || exit 7; echo "second in $SLURM_RESTART_COUNT"'
    identity = hpc.submit("1", "--retries", "1", "--retry-on", "7", line)
    after = hpc.submit("1", "--dep", f"afterok:{identity}", "true")
    assert hpc.ok("hwait", identity, after) == ""
    assert hpc.ok("hlog", identity) == "second in 1"
    assert hpc.job(identity)["attempt"] == 2


def test_many_are_tried_again_each_once_more(cluster: Cluster, hpc: Shell) -> None:
    line = 'sleep 0.0$HSCHED_ARRAY_INDEX; echo ran >> "$HSCHED_ARRAY_INDEX"; '
    line += '[ "$HSCHED_ATTEMPT" = 2 ] || exit 7'
    folder = hpc.folder / "again"
    folder.mkdir()
    array = hpc.submit("1", "--array", "0-9", "--retries", "1", line, cwd=folder)
    assert hpc.ok("hwait", array) == ""
    assert [file.read_text() for file in folder.iterdir()] == ["ran\nran\n"] * 10
    assert {job["attempt"] for job in hpc.jobs("--all", array)} == {2}
    # A node that refused a second start would make a third of it.
    assert "credential revoked" not in (cluster.folder / "slurmctld.log").read_text()


def test_a_time_limit_is_kept_to_the_second(hpc: Shell) -> None:
    identity = hpc.submit("1", "--time", "1", "--grace", "0", "trap '' TERM; sleep 1000")
    assert hpc.run("hwait", identity).returncode == 124
    assert hpc.job(identity)["outcome"] == "timed out"


def test_what_slurm_cancels_is_cancelled(cluster: Cluster, hpc: Shell) -> None:
    pending, running = submitted(hpc, "1", "--hold", "true"), hpc.submit("1", "echo > on; sleep 99")
    hpc.written("on")
    for identity in (pending, running):
        assert hpc.job(identity)["engine_id"], "Slurm has it"
        cluster.run("scancel", hpc.job(identity)["engine_id"])
        job = hpc.wait(identity)
        assert (job["outcome"], job["reason"]) == ("cancelled", "cancelled in Slurm")
    assert hpc.run("hwait", running).returncode == 125


def test_a_pending_job_is_changed(cluster: Cluster, hpc: Shell) -> None:
    identity = submitted(hpc, "1", "--hold", "true")
    before = hpc.job(identity)["engine_id"]
    hpc.ok("hupdate", "--priority", "-7", "--slots", "3", "--time", "10m", identity)
    hpc.until(lambda: hpc.job(identity)["engine_id"] not in (None, before), "it is submitted anew")
    found = slurm_job(cluster, hpc, identity)
    assert (found["NumCPUs"], found["Nice"], found["TimeLimit"]) == ("3", "17", "00:11:00")
    assert cluster.run("squeue", "-h", "-j", before, "-o", "%T").stdout.strip() != "PENDING"
    hpc.ok("hupdate", "--min-devices", "1", identity)
    share = hpc.run("hupdate", "--memory-per-device", "1G", identity)
    assert "ask Slurm for whole ones" in share.stderr
    hpc.until(lambda: "gpu:1" in str(slurm_job(cluster, hpc, identity)), "it asks for a GPU")
    hpc.ok("hrelease", identity)
    assert hpc.ok("hwait", identity) == ""


def test_slurms_own_words_reach_the_user(hpc: Shell) -> None:
    bad = hpc.submit("--engine-option", "partition=nope", "1", "true")
    slow = submitted(hpc, "--engine-option", "partition=short", "--time", "10m", "1", "true")
    assert hpc.run("hwait", bad).returncode == 126
    assert "invalid partition specified: nope" in hpc.ok("hjobs", "--all", "--why", bad)
    hpc.until(lambda: "PartitionTimeLimit" in hpc.ok("hjobs", "--why", slow), "the reason is told")
    hpc.ok("hkill", slow)
    refused = hpc.run("hsubmit", "--priority", "11", "1", "true")
    assert refused.returncode == 1
    assert "cannot make that negative" in refused.stderr
    share = hpc.run("hsubmit", "--memory-per-device", "1G", "1", "true")
    assert "ask Slurm for whole ones" in share.stderr
    assert "hsched says --comment itself" in hpc.run(
        "hsubmit", "--engine-option", "comment=x", "1", "true"
    ).stderr  # fmt: skip


def test_a_command_that_is_not_there(hpc: Shell) -> None:
    identity = hpc.submit("1", "/nope/prog")
    assert hpc.run("hwait", identity).returncode == 127
    assert hpc.job(identity)["reason"] == "its command: No such file or directory"


@pytest.mark.parametrize("words", [["hnslots", "set", "9"], ["hadopt", "1", "1"],
                                   ["hnslots", "drain", "cores:1"]])  # fmt: skip
def test_what_slurm_decides_is_refused(hpc: Shell, words: list[str]) -> None:
    assert "Slurm runs the jobs of scheduler default" in hpc.run(*words).stderr


def test_nothing_of_a_done_job_is_left(hpc: Shell) -> None:
    identity = hpc.submit("1", "true")
    hpc.wait(identity)
    folder = hpc.state / "default/current/slurm"
    assert [one.name for one in folder.glob(f"{identity}[-.]*")] == []
    assert {"journal"} <= {one.name for one in folder.iterdir()}
    assert json.loads((folder / "journal").read_text().split("\n")[1])["first"] == 1
