"""What cannot be is told at once, in one line, in Slurm's own words."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.shell import BIN, Shell
from tests.slurm.cluster import Cluster

pytestmark = pytest.mark.slow


def refused(shell: Shell, *words: str, **options: Any) -> str:
    """Return the one line with which hstart refuses."""
    done = shell.run("hstart", "--engine", "slurm", *words, **options)
    assert done.returncode == 1, done
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_slurm_is_not_installed(shell: Shell) -> None:
    said = refused(shell, "6", env={"PATH": str(BIN)})
    assert "no `sbatch` on PATH" in said


def test_nobody_answers(cluster: Cluster, shell: Shell) -> None:
    conf = shell.folder / "slurm.conf"
    lines = (cluster.folder / "slurm.conf").read_text().splitlines()
    other = [line for line in lines if "SlurmctldPort" not in line]
    conf.write_text("\n".join([*other, "SlurmctldPort=9", "MessageTimeout=2"]))
    said = refused(shell, "6", env={"SLURM_CONF": str(conf)})
    assert "no Slurm controller answers: " in said
    assert "Unable to contact slurm controller" in said


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--engine-option", "partition=nope", "6"], "invalid partition specified: nope"),
        (["--engine-option", "frobnicate=3", "6"], "unrecognized option"),
        (["cores=6,tape=2"], "resource `tape` has no counterpart in this Slurm"),
    ],
)
def test_the_site_has_no_such_thing(shell: Shell, words: list[str], told: str) -> None:
    assert told in refused(shell, *words)


def test_without_spec_a_job_can_have_the_largest_node(shell: Shell) -> None:
    assert shell.ok("hstart", "--engine", "slurm").endswith("nslots = 8,2,64G")
    assert shell.run("hsubmit", "9", "true").returncode == 2
    again = shell.run("hstart", "--engine", "local")
    assert "already running" in again.stderr


def test_engine_options_are_for_slurm(shell: Shell) -> None:
    shell.ok("hstart", "1")
    told = shell.run("hsubmit", "--engine-option", "partition=x", "1", "true").stderr
    assert "this scheduler runs its jobs itself" in told
    told = shell.run("hstart", "-n", "b", "--engine-option", "a=b", "1").stderr
    assert "--engine-option is for --engine slurm" in told
