"""hrun inside a job: many share the slots of the job, and a chain of them ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.e2e.shell import DEADLINE_S, Shell

EXAMPLE = Path(__file__).parents[2] / "examples" / "weighted.mk"

#: Notes when it begins and ends and on which slot, in one write each.
NOTED = "echo + $QUEUE0 >>$LOG; sleep 0.05; echo - $QUEUE0 >>$LOG"


@pytest.fixture
def sched(shell: Shell) -> Shell:
    """A terminal with three cores, two GPUs and some memory, and a log for the jobs."""
    shell.env["LOG"] = str(shell.folder / "log")
    shell.ok("hstart", "cores=3,gpus=2,mem=8G")
    return shell


def check_log(shell: Shell, at_most: int) -> int:
    """Check that no slot was in two hands at once; return how many held one."""
    held: Counter[str] = Counter()
    begun = 0
    for line in (shell.folder / "log").read_text().splitlines():
        sign, _, slots = line.partition(" ")
        held.update(dict.fromkeys(slots.split(","), 1 if sign == "+" else -1))
        assert set(held.values()) <= {0, 1}, line
        assert held.total() <= at_most
        begun += sign == "+"
    return begun


def test_several_share_the_slots_of_their_job(sched: Shell) -> None:
    line = f"for i in 1 2 3 4 5 6 7 8; do hrun 1 -c '{NOTED}' & done; wait"
    job = sched.wait(sched.submit("2", line))
    assert job["outcome"] == "succeeded"
    assert check_log(sched, at_most=2) == 8
    assert len(sched.jobs("--all")) == 1


def test_a_wide_one_gets_its_turn_among_many(sched: Shell) -> None:
    wide = f"hrun 3 -c '{NOTED}; echo wide >>$LOG.wide' &"
    line = f"for i in 1 2 3 4; do hrun 1 -c '{NOTED}' & done; {wide} "
    line += f"for i in 1 2 3 4; do hrun 1 -c '{NOTED}' & done; wait"
    assert sched.wait(sched.submit("3", line))["outcome"] == "succeeded"
    assert check_log(sched, at_most=3) == 9
    assert (sched.folder / "log.wide").exists()


def test_the_variables_tell_the_part(sched: Shell) -> None:
    shown = 'echo "$QUEUE0/$QUEUE1/$QUEUE2/$CUDA_VISIBLE_DEVICES"'
    line = f"hrun 1,1,2 -c '{shown}'; hrun cores=2,mem=1G -c '{shown}'; hrun -1 -c '{shown}'"
    sched.submit("1", "sleep", "1000")
    job = sched.wait(sched.submit("--out", "out", "2,2,4", line))
    assert job["outcome"] == "succeeded"
    assert (sched.folder / "out").read_text() == "1/0/2/0\n1,2//1/\n1,2//0/\n"


def test_a_chain_on_one_slot_ends(sched: Shell) -> None:
    line = "hrun 1 hrun 1 hrun 1 sh -c 'echo $QUEUE0; exit 7'"
    done = sched.run("hrun", "1", "-c", line)
    assert (done.returncode, done.stdout) == (7, "0\n")
    assert os.listdir(sched.state / "default" / "current" / "leases") == []


def test_more_than_the_job_holds_is_refused(sched: Shell) -> None:
    done = sched.run("hrun", "1", "hrun", "2", "true")
    assert done.returncode == 2
    assert "no 2 cores; there is cores=1,gpus=0,mem=0G in job 1: inside a job" in done.stderr
    done = sched.run("hrun", "1", "hrun", "--dep", "1", "1", "true")
    assert (done.returncode, "--dep means nothing inside job 2" in done.stderr) == (2, True)


def test_a_killed_one_gives_its_slots_back(sched: Shell) -> None:
    line = (
        "hrun 1 -c 'echo $$ >first; exec sleep 1000' & hrun=$!; while ! test -s first; do :; done; "
        "hrun 1 -c 'echo second >log' & while ! test -e kill; do sleep 0.02; done; "
        "kill -9 $hrun; wait"
    )
    identity = sched.submit("1", line)
    sched.written("first")
    (sched.folder / "kill").touch()
    assert sched.wait(identity)["outcome"] == "succeeded"
    assert (sched.folder / "log").read_text() == "second\n"


def test_another_scheduler_is_another_matter(sched: Shell) -> None:
    sched.ok("hstart", "-n", "other", "1")
    line = "hrun -n other 1 sh -c 'echo $HSCHED_NAME $HSCHED_JOB_ID $QUEUE0,$QUEUE1.'"
    assert sched.ok("hrun", "3,2", "-c", line) == "other 1 0,."


def test_what_outlives_its_job_queues_anew(sched: Shell) -> None:
    os.mkfifo(sched.folder / "go")
    line = "(read x <go; hrun 2 -c 'echo $QUEUE0 >out') >/dev/null 2>&1 &"
    sched.ok("hrun", "1", "--leave-children", "-c", line)
    sched.sh("echo >go")
    assert sched.written("out") == "0,1\n"
    assert sched.wait("2")["outcome"] == "succeeded"


# make


def makefile(shell: Shell, text: str, name: str = "Makefile") -> None:
    (shell.folder / name).parent.mkdir(parents=True, exist_ok=True)
    (shell.folder / name).write_text(text)


def test_a_makefile_of_a_hundred_targets(sched: Shell) -> None:
    makefile(
        sched,
        "T := $(foreach n,$(shell seq 100),t$(n))\nall: $(T)\n"
        "$(T):\n\t@echo + $$QUEUE0 >>$$LOG; echo $@ >$@; echo - $$QUEUE0 >>$$LOG\n",
    )
    sched.ok("make", "-s", "-j64", "SHELL=hrun", ".SHELLFLAGS=1 -c", timeout=3 * DEADLINE_S)
    assert check_log(sched, at_most=3) == 100
    assert len(list(sched.folder.glob("t*"))) == 100
    assert sched.ok("hnslots", "free") == "3,2,8G"


def test_a_recursive_make_three_deep_on_one_slot(sched: Shell) -> None:
    text = "all: a b\na b:\n\t@echo + $$QUEUE0 >>$$LOG; echo - $$QUEUE0 >>$$LOG\n"
    makefile(sched, "all:\n\t$(MAKE) -C one\n" + text.replace("all:", "also:"))
    makefile(sched, "all: a b\n\t$(MAKE) -C two\n" + text.partition("\n")[2], "one/Makefile")
    makefile(sched, text, "one/two/Makefile")
    make = ["make", "-j8", "SHELL=hrun", ".SHELLFLAGS=1 -c"]
    assert sched.wait(sched.submit("1", *make))["outcome"] == "succeeded"
    assert check_log(sched, at_most=1) == 4
    sched.ok(*make, timeout=DEADLINE_S)  # and where make itself is no job
    assert check_log(sched, at_most=3) == 8


def test_an_interrupted_make_leaves_nothing(sched: Shell) -> None:
    makefile(sched, "all: a b c d\na b c d:\n\techo $$$$ >pid.$@; sleep 1000\n")
    with subprocess.Popen(
        ["make", "-j4", "SHELL=hrun", ".SHELLFLAGS=1 -c"],
        cwd=sched.folder,
        env=sched.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        sched.until(lambda: len(list(sched.folder.glob("pid.*"))) == 3, "three of them run")
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_S) != 0
    sched.until(lambda: sched.ok("hjobs") == "no jobs found", "all are gone")
    assert sched.ok("hnslots", "free") == "3,2,8G"


@pytest.mark.slow
def test_the_example_runs_each_recipe_with_its_weight(shell: Shell) -> None:
    shell.ok("hstart", "6,2,32")
    shell.env["PYTHON"] = sys.executable
    shown = shell.ok("make", "-s", "-j64", "-f", str(EXAMPLE), timeout=5 * DEADLINE_S)
    assert shown.startswith("verified ")
    asked = Counter(
        ",".join(str(job["request"][name]["amount"]) for name in ("cores", "gpus", "mem"))
        for job in shell.jobs("--all")
    )
    packed = {"1,0,2": 7, "1,0,4": 6, "2,1,8": 2, "1,0,32": 1, "6,0,4": 1}
    assert asked == packed
