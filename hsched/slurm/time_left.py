"""How long a job of Slurm may still run: asked once, by whoever counts down from there."""

from __future__ import annotations

import os
import subprocess

from hsched.slurm import answers

_PATIENCE_S = 30.0


def time_left_s(slurm_job_id: str | None = None) -> float | None:
    """Return the seconds until Slurm ends a job, by default the one that we are part of.

    None where there is no limit, no such job, or Slurm does not answer.
    """
    job = slurm_job_id or _own()
    if not job:
        return None
    try:
        done = subprocess.run(
            ["squeue", "--noheader", f"--jobs={job}", "--format=%L"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answers.time_left(done.stdout) if done.returncode == 0 else None


def _own() -> str | None:
    array, index = (os.environ.get(f"SLURM_ARRAY_{name}_ID") for name in ("JOB", "TASK"))
    # The id alone of an element may be that of its whole array.
    return f"{array}_{index}" if array and index else os.environ.get("SLURM_JOB_ID")
