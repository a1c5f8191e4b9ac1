"""Which processors the slots are, and what a job is told of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hsched.broker.devices.placement import Placement, affinity, groups, near_first
from hsched.core.model import Allocation
from hsched.core.slots import NumberedPool
from hsched.core.spec import parse_spec
from tests.e2e.shell import Shell


def node(folder: Path, number: int, cpus: str) -> None:
    """Make a NUMA node as the kernel shows it."""
    (folder / f"node{number}").mkdir()
    (folder / f"node{number}/cpulist").write_text(f"{cpus}\n")


def test_processors_go_by_node(tmp_path: Path) -> None:
    node(tmp_path, 10, "1,5")
    node(tmp_path, 0, "0-2,8-9")
    node(tmp_path, 2, "")
    (tmp_path / "power").mkdir()
    assert near_first(range(8), str(tmp_path)) == [[0, 1, 2], [5], [3, 4, 6, 7]]
    assert near_first([4, 2], str(tmp_path / "none")) == [[2, 4]]


def test_slots_of_a_node_are_a_group() -> None:
    assert groups([[0, 1], [4]], 3) == (0b011, 0b100)
    assert groups([[0, 1], [4]], 7) == (0b1011011, 0b0100100), "more slots than processors"


def test_a_job_gets_the_slots_of_the_fullest_node_that_has_enough() -> None:
    pool = NumberedPool(8, near=(0b00001111, 0b11110000))
    assert pool.acquire(1) == (0,)
    assert pool.acquire(2) == (1, 2)
    assert pool.acquire(3) == (4, 5, 6)
    assert pool.acquire(1) == (3,)
    pool.release(pool.holding((1, 2), 2))
    assert pool.acquire(3) == (1, 2, 7), "no node has three"
    pool.check()


@pytest.mark.parametrize(
    ("cpus", "expected"), [((), None), ((3,), "3"), ((0, 1, 2, 4, 6, 7), "0-2,4,6-7")]
)
def test_processors_as_a_plan_has_them(cpus: tuple[int, ...], expected: str | None) -> None:
    assert affinity(cpus) == expected


def test_slots_stand_for_processors_in_turn() -> None:
    placement = Placement([4, 5])
    held = Allocation(((0, 1), ()), (2, 0))
    assert placement.pinned(parse_spec("8,2"), held) == (4, 5)
    assert placement.pinned(parse_spec("8,2"), Allocation(((3,), ()), (1, 0))) == (5,)
    assert placement.pinned(parse_spec("8,2"), Allocation(((), (0,)), (0, 1))) == ()
    assert placement.pinned(parse_spec("gpus=2"), Allocation(((0,),), (1,))) == ()
    assert Placement().pinned(parse_spec("8,2"), held) == ()


LOOK = "import os; print(*sorted(os.sched_getaffinity(0)), os.environ.get('OMP_NUM_THREADS'))"


@pytest.mark.slow
def test_a_pinned_job_runs_on_its_slots_alone(shell: Shell) -> None:
    usable = sorted(os.sched_getaffinity(0))
    everywhere = " ".join(map(str, usable))
    shell.ok("hstart", "--pin", f"{len(usable)},1")
    jobs = {
        "one": ("1", "python", "-c", LOOK),
        "all": ("-1", "python", "-c", LOOK),
        "none": ("0", "python", "-c", LOOK),
        "own": ("--env", "OMP_NUM_THREADS=7", "1", "python", "-c", LOOK),
    }
    said = {}
    for name, words in jobs.items():
        assert shell.wait(shell.submit("--out", name, *words))["outcome"] == "succeeded"
        said[name] = shell.written(name).rstrip("\n")
    assert said["all"] == f"{everywhere} {len(usable)}"
    assert said["none"] == f"{everywhere} None"
    first, threads = said["one"].split()
    assert (int(first) in usable, threads) == (True, "1")
    assert said["own"] == f"{first} 7"
    inherited = {"env": {"OMP_NUM_THREADS": "3"}}
    shell.wait(shell.submit("--out", "inherited", *jobs["one"], **inherited))
    assert shell.written("inherited") == f"{first} 3\n"
    shell.kill_broker()
    shell.wait(shell.submit("--out", "again", *jobs["one"]))
    assert shell.written("again") == f"{first} 1\n", "it is pinned after a crash as well"
