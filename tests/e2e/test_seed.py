"""Scripts written for aitch run as they stand: each line of its README, in its order."""

from __future__ import annotations

import pytest

from tests.e2e.shell import Shell

COMMANDS = ("hjobs", "hkill", "hnslots", "hstart", "hstatus", "hstop", "hsubmit")
PROGRAMS = (
    "do-me-first",
    "log-the-results",
    "my-compute-intensive-app",
    "my-four-slot-job",
    "my-high-memory-app",
    "my-single-slot-job",
    "my-two-slot-job",
    "my-visualization-app",
    "python",
    "wait-for-do-me-first-to-finish",
    "winnie-the-pooh",
)
#: Says who it is and what it was given, and goes on once the test says so.
PROGRAM = """#!/bin/sh
name=$(basename "$0")
echo "$name" "$@" FOO=$FOO QUEUE0=$QUEUE0 QUEUE1=$QUEUE1 > "$HOME/$name.new"
mv "$HOME/$name.new" "$HOME/$name"
echo out; echo err >&2
while [ ! -e "$HOME/go" ]; do sleep 0.02; done
"""


@pytest.fixture
def apps(shell: Shell) -> Shell:
    """A terminal whose PATH has the programs of the README."""
    folder = shell.home / "bin"
    folder.mkdir()
    for name in PROGRAMS:
        (folder / name).write_text(PROGRAM)
        (folder / name).chmod(0o755)
    shell.env["PATH"] = f"{folder}:{shell.env['PATH']}"
    return shell


def go(apps: Shell) -> None:
    """Let all programs end, and wait until they have."""
    (apps.home / "go").touch()
    for job in apps.jobs():
        assert apps.wait(job["id"])["outcome"] == "succeeded"


def said(apps: Shell, program: str) -> str:
    """Return what a program said of itself, once it has."""
    return str(apps.until(lambda: _read(apps, program), f"{program} runs"))


def _read(apps: Shell, program: str) -> str:
    file = apps.home / program
    return file.read_text() if file.exists() else ""


def states(apps: Shell) -> dict[str, str]:
    """Return the state of each live job by its program."""
    return {job["command"][0]: job["state"] for job in apps.jobs()}


def test_the_third_job_waits_until_one_of_the_first_two_is_done(apps: Shell) -> None:
    assert apps.sh("hstart 6") == "started default scheduler with nslots = 6"
    shown = apps.sh("""
        hsubmit 2 my-two-slot-job
        hsubmit 4 my-four-slot-job [and-its-args...]
        hsubmit 1 my-single-slot-job
    """)
    assert shown == "1\n2\n3"
    assert "[and-its-args...]" in said(apps, "my-four-slot-job")
    assert states(apps)["my-single-slot-job"] == "pending"
    apps.ok("hkill", "1")
    assert "QUEUE0=0 " in said(apps, "my-single-slot-job")
    go(apps)
    assert apps.sh("hstop").startswith("stopped default scheduler")


def test_several_resources_are_metered_at_once(apps: Shell) -> None:
    assert apps.sh("hstart 6,2,32") == "started default scheduler with nslots = 6,2,32"
    apps.sh("""
        hsubmit 1,0,32 my-high-memory-app
        hsubmit 2,1,8 my-visualization-app
        hsubmit 6,0,1 my-compute-intensive-app
        hsubmit 0,0,0 'touch helloworld'
    """)
    apps.until((apps.folder / "helloworld").exists, "helloworld is touched")
    said(apps, "my-high-memory-app")
    assert states(apps)["my-visualization-app"] == "pending"
    assert states(apps)["my-compute-intensive-app"] == "pending"
    go(apps)


def test_a_job_knows_its_slots(apps: Shell) -> None:
    apps.sh("hstart 6,2,32")
    apps.sh("""
echo "export CUDA_VISIBLE_DEVICES=$QUEUE1; \\
python -m 'import tensorflow...'" > my-deeplearning-app
hsubmit 2,1,4 my-deeplearning-app
    """)
    assert said(apps, "python").startswith(
        "python -m import tensorflow... FOO= QUEUE0=0,1 QUEUE1=0"
    )
    go(apps)


def test_jobs_depend_on_others(apps: Shell) -> None:
    apps.sh("hstart 6,2,32")
    apps.sh("""
        dep1=`hsubmit 6,0,12 do-me-first`
        hsubmit 1,0,1 --dep $dep1 wait-for-do-me-first-to-finish
    """)
    said(apps, "do-me-first")
    assert states(apps)["wait-for-do-me-first-to-finish"] == "pending"
    go(apps)
    said(apps, "wait-for-do-me-first-to-finish")


def test_variables_are_passed_in(apps: Shell) -> None:
    apps.sh("hstart 6,2,32")
    apps.sh("hsubmit 1,0,0 --env FOO=bar winnie-the-pooh")
    assert " FOO=bar " in said(apps, "winnie-the-pooh")
    go(apps)


def test_the_standard_streams_are_redirected(apps: Shell) -> None:
    apps.sh("hstart 6,2,32")
    apps.sh("hsubmit 1,0,3 --out stdout.txt -err stderr.txt log-the-results")
    go(apps)
    assert (apps.folder / "stdout.txt").read_text() == "out\n"
    assert (apps.folder / "stderr.txt").read_text() == "err\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_usage_is_displayed_with_help(shell: Shell, command: str) -> None:
    assert shell.ok(command, "--help").startswith(f"Usage: {command} ")


def test_a_script_waits_as_it_did_with_aitch(apps: Shell) -> None:
    apps.sh("hstart 2; touch ../go; hsubmit 1 my-two-slot-job")
    waited = apps.run("/bin/sh", "-c", "while hjobs 1 >seen; do sleep 0.05; done; hjobs")
    assert "no such job found" in waited.stderr
    assert waited.stdout == "no jobs found\n"


def test_names_keep_schedulers_apart_and_unknown_ones_are_told(apps: Shell) -> None:
    apps.sh("hstart --name one 1; hstart --name two 2,2")
    assert apps.sh("hnslots --name two; hnslots --name two used; hnslots -n one") == "2,2\n0,0\n1"
    status = apps.run("hstatus")
    assert [line.split() for line in status.stdout.splitlines()[1:]] == [
        ["one", "1", "1", "0", "0", "0", "0"],
        ["two", "2,2", "2,2", "0,0", "0", "0", "0"],
    ]
    assert str(apps.state) in status.stderr
    apps.sh("hstop --all")
    assert apps.run("hstatus").stdout == "no schedulers found\n"
    for command in ("hjobs", "hnslots", "hstop", "hkill 1", "hsubmit 1 ls", "hstatus"):
        gone = apps.run(*command.split()[:1], "--name", "one", *command.split()[1:])
        assert gone.returncode == 1
        assert "bad state or not running" in gone.stderr
