"""A cluster for all tests, and terminals from which it is used."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.e2e.shell import Shell
from tests.slurm.cluster import Cluster, missing

#: Looks at the queue as often as a test has patience for.
HASTE = ("--engine", "slurm", "--engine-option", "poll=0.1")


def need_slurm() -> None:
    """Skip where there is no Slurm; fail where it was promised, as in continuous integration."""
    if lacking := missing():
        reason = f"no {', no '.join(lacking)}; `make test-slurm` as root installs what is missing"
        assert not os.environ.get("HSCHED_NEED_SLURM"), reason
        pytest.skip(reason)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One node with 8 cores, 64 GiB, two GPUs and three licenses."""
    need_slurm()
    one = Cluster()
    try:
        yield one
    finally:
        one.close()
    assert not one.processes(), "the cluster has left processes behind"


@pytest.fixture
def shell(cluster: Cluster) -> Iterator[Shell]:
    """A terminal at the cluster, without a scheduler."""
    terminal = Shell()
    terminal.env["SLURM_CONF"] = cluster.env["SLURM_CONF"]
    try:
        yield terminal
    finally:
        terminal.run("hstop", "--force", "--grace", "0")
        terminal.close()


@pytest.fixture
def sched(shell: Shell) -> Shell:
    """A terminal with a scheduler whose jobs run on the cluster."""
    shell.ok("hstart", *HASTE, "6,2,32")
    return shell


@pytest.fixture
def sleepy(shell: Shell) -> Shell:
    """A terminal with a scheduler that does not look at the queue unless it must."""
    shell.ok("hstart", "--engine", "slurm", "--engine-option", "poll=600", "6,2,32")
    return shell
