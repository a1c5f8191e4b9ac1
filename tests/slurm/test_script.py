"""The batch script by itself, with a real shim and without Slurm."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hsched.broker.slurm.files import Files
from hsched.core.model import job_id
from hsched.native.plan import Plan
from hsched.wire.submit import JobSpec

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run job 7 as Slurm would; ``again`` runs what is there already."""
    files = Files(str(tmp_path / "it's here"))
    scontrol = tmp_path / "scontrol"
    scontrol.write_text(f'#!/bin/sh\necho "$@" >> "{tmp_path}/told"; exit 1\n')
    scontrol.chmod(0o755)

    def run_script(line: str, again: bool = False, **env: str) -> subprocess.CompletedProcess[str]:
        spec = JobSpec(slots="1", shell=line, retries=1, retry_on=(7,), environment={"A": "b"})
        inherited = {b"PATH": b"/usr/bin:/bin", b"SLURM_JOB_ID": b"old", b"HSCHED_ATTEMPT": b"1"}
        plan = Plan(job_id="7", cwd=str(tmp_path).encode(), shell=line.encode(),
                    environment=inherited, stdout=b"out")  # fmt: skip
        if not again:
            files.write_plan(job_id(7), plan, spec)
        return subprocess.run(
            ["/bin/sh"],
            input=files.script(job_id(7), spec, 1, gpus=True, lease="[], []"),
            env={"PATH": f"{tmp_path}:/usr/bin:/bin", "SLURM_JOB_ID": "42", **env},
            cwd="/",
            text=True,
            capture_output=True,
            timeout=60,
            check=False,
        )

    return run_script


def test_the_job_sees_slurms_variables_and_its_attempt(run: Run, tmp_path: Path) -> None:
    line = 'echo "$SLURM_JOB_ID $HSCHED_ATTEMPT [$CUDA_VISIBLE_DEVICES]"'
    assert run(line, SLURM_RESTART_COUNT="2").returncode == 0
    assert (tmp_path / "out").read_text() == "42 3 []\n"
    assert run(line, again=True, CUDA_VISIBLE_DEVICES="1", SLURM_X="y").returncode == 0
    assert (tmp_path / "out").read_text() == "42 1 [1]\n"


@pytest.mark.parametrize(
    ("line", "status"), [("exit 3", 3), ("kill -9 $$", 137), ("true", 0)]
)  # fmt: skip
def test_slurm_gets_the_status_of_the_job(run: Run, line: str, status: int) -> None:
    assert run(line).returncode == status


def test_who_claims_a_job_first_runs_it(run: Run, tmp_path: Path) -> None:
    assert run("echo ran >> ran").returncode == 0
    assert run("echo ran >> ran", SLURM_JOB_ID="43").returncode == 75
    assert (tmp_path / "ran").read_text() == "ran\n"
    assert "claimed by slurm job 42: not run" in (tmp_path / "it's here/batch.log").read_text()


def test_a_job_that_is_done_is_not_run_late(run: Run, tmp_path: Path) -> None:
    run("true")
    Files(str(tmp_path / "it's here")).remove(job_id(7), 1)
    assert run("echo ran > ran", again=True).returncode == 75
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(("status", "restarts", "told"), [(7, "0", True), (8, "0", False),
                                                         (7, "1", False)])  # fmt: skip
def test_a_failure_is_requeued_as_often_as_was_asked(
    run: Run, tmp_path: Path, status: int, restarts: str, told: bool
) -> None:
    assert run(f"exit {status}", SLURM_RESTART_COUNT=restarts).returncode == status
    assert (tmp_path / "told").exists() is told
