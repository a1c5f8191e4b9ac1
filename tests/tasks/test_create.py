"""hsched create with a command, and the commands that look after what it made."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.shell import DEADLINE_S, Shell, is_alive

WAIT = "while ! test -e go; do sleep 0.02; done"

#: Prints its arguments, one a line.
SHOW = f"{sys.executable} -c 'import sys; print(*sys.argv[1:], sep=chr(10))'"


def statuses(shell: Shell) -> dict[str, str]:
    listed = json.loads(shell.ok("hsched", "list", "fullname", "status", "--json"))
    return {one["fullname"]: one["status"] for one in listed}


def lines_until(process: subprocess.Popen[str], last: str) -> list[str]:
    """Return what a process prints up to the line that ends with ``last``."""
    assert process.stdout is not None
    found: list[str] = []
    timer = threading.Timer(DEADLINE_S, process.kill)  # which ends what is read
    timer.start()
    try:
        for line in process.stdout:
            found.append(line.rstrip("\n"))
            if found[-1].endswith(last):
                return found
    finally:
        timer.cancel()
    raise AssertionError(f"no line `{last}` in {found}")


def run_folder(shell: Shell) -> Path:
    return (shell.state / "default" / "current").resolve()


def test_the_first_task_starts_a_scheduler_that_keeps_no_stream(shell: Shell) -> None:
    assert shell.run("hsched", "test").stdout == "Backend is not running.\n"
    shown = shell.run("/bin/sh", "-c", "hsched create 'echo hello' -n first | cat")
    assert shown.stdout == "first\n"
    assert "hsched: started default scheduler with nslots = " in shown.stderr
    shell.ok("hwait", "first")
    assert shell.ok("hlog", "first") == "hello"
    assert (run_folder(shell) / "first" / "stdout.log").read_text() == "hello\n"
    assert (run_folder(shell) / "first" / "stderr.log").read_text() == ""
    pid = shell.broker_pid()
    assert shell.ok("hsched", "test") == f"backend is running with PID {pid}."
    assert shell.ok("hsched", "exit").startswith("stopped default scheduler")
    assert not is_alive(pid)
    gone = shell.run("hsched", "test")
    assert (gone.returncode, gone.stdout) == (1, "Backend is not running.\n")
    assert shell.run("hsched", "exit").returncode == 1


def test_arguments_arrive_exactly_and_magic_has_its_values(lab: Shell) -> None:
    words = ["--lr", "0.3", "a  b", "$x", "'", "[1,2]", "", "--", "é"]
    lab.ok("hsched", "create", SHOW, "-n", "exact", "--", *words)
    magic = ["${run_dir}|${task_name}", "x ${fullpath}", "$${nope}", "${env:WHO}", "${device_ids}."]
    lab.ok("hsched", "create", SHOW, "-n", "magic", "--", *magic, env={"WHO": "a 'b'"})
    lab.ok("hwait", "exact", "magic")
    assert lab.ok("hlog", "exact").split("\n") == words
    folder = run_folder(lab)
    assert lab.ok("hlog", "magic").split("\n") == [
        f"{folder}|magic",
        f"x {folder}/magic",
        "${nope}",
        "a 'b'",
        ".",
    ]


def test_lists_become_tasks_with_names_of_their_own(lab: Shell) -> None:
    lists = ["-m", "--", "--lr", "[0.1,0.3]"]
    same = lab.run("hsched", "create", SHOW, "-n", "t", *lists)
    assert same.returncode == 1
    assert "two tasks are called t; put what differs into the name" in same.stderr
    assert lab.ok("hsched", "list") == "no tasks found", "nothing was submitted"
    assert lab.ok("hsched", "create", SHOW, "-n", "t-${lr}", *lists).split() == ["t-0.1", "t-0.3"]
    assert lab.ok("hsched", "create", SHOW, "-g", "-n", "g", *lists).split() == ["g/0", "g/1"]
    assert lab.ok("hsched", "create", SHOW, "-n", "plain", "--", "[0.1,0.3]") == "plain"
    lab.ok("hwait", "t-0.3", "g/1", "plain")
    assert lab.ok("hlog", "t-0.3").split() == ["--lr", "0.3"]
    assert lab.ok("hlog", "g/1").split() == ["--lr", "0.3"]
    assert lab.ok("hlog", "plain") == "[0.1,0.3]"


def test_a_name_is_that_of_one_live_task_and_free_again_after_its_end(lab: Shell) -> None:
    lab.ok("hsched", "create", f"echo one; {WAIT}", "-n", "t")
    taken = lab.run("hsched", "create", "echo two", "-n", "t")
    assert taken.returncode == 1
    assert "there is a task t already (job 1)" in taken.stderr
    running = lab.ok("hsched", "test", "t")
    found = re.fullmatch(r"t is running with PID (\d+)\.", running)
    assert found is not None
    assert is_alive(int(found[1]))
    (lab.folder / "go").touch()
    lab.ok("hwait", "t")
    assert lab.run("hsched", "test", "t").stdout == "t is not running.\n"
    assert lab.run("hsched", "test", "t").returncode == 1
    lab.ok("hsched", "create", "echo two", "-n", "t")
    lab.ok("hwait", "t")
    assert lab.ok("hlog", "t").split() == ["one", "two"], "nothing that was written is lost"


def test_waiting_tasks_are_cancelled_resumed_changed_and_removed(lab: Shell) -> None:
    lab.ok("hsched", "create", WAIT, "-n", "block", "--slots", "4")
    lab.ok("hsched", "create", "echo", "-g", "-n", "g", "-m", "--", "[a,b,c]")
    lab.ok("hsched", "cancel", "g/[01]")
    assert statuses(lab) == {
        "block": "running",
        "g/0": "cancelled",
        "g/1": "cancelled",
        "g/2": "waiting",
    }
    lab.ok("hsched", "set", "g/2.priority", "5")
    high = lab.ok("hsched", "list", "name", "--filter", "status==waiting and priority>4")
    assert high.split() == ["NAME", "2"]
    lab.ok("hsched", "remove", "g/0")
    assert "g/0" not in statuses(lab)
    assert lab.job("2")["outcome"] == "cancelled", "history keeps it"
    (lab.folder / "go").touch()
    lab.ok("hwait", "block", "g/2")
    assert statuses(lab)["g/1"] == "cancelled", "others go on past it"
    lab.ok("hsched", "resume", "--all")
    lab.ok("hwait", "g/1")
    assert lab.ok("hlog", "g/1") == "b"
    late = lab.run("hsched", "set", "g/1.priority", "1")
    assert (late.returncode, late.stderr) == (1, "hsched set: `g/1` is over: g/1 (done)\n")
    late = lab.run("hsched", "cancel", "g", "nobody")
    assert (late.returncode, late.stderr) == (
        1,
        "hsched cancel: `g` is over: g/1 (done), g/2 (done)\n",
    )
    lab.ok("hsched", "remove", "--all")
    assert lab.ok("hsched", "list") == "no tasks found"


def test_kill_takes_names_groups_patterns_and_ids_and_all_that_descends(lab: Shell) -> None:
    stubborn = "trap '' TERM; sleep 300 & echo $! >pid; wait; sleep 300"
    lab.ok("hsched", "create", stubborn, "-n", "stubborn")
    lab.ok("hsched", "create", "sleep 300", "-g", "-n", "g", "-m", "--", "[1,2]")
    job = lab.submit("1", "sleep", "300")
    child = int(lab.written("pid"))
    lab.ok("hsched", "kill", "g")
    assert (statuses(lab)["g/0"], statuses(lab)["g/1"]) == ("killed", "killed")
    lab.ok("hsched", "kill", "--grace", "0.1", "stub.*", job)
    assert statuses(lab)["stubborn"] == "killed"
    assert not is_alive(child)
    assert lab.job(job)["outcome"] == "cancelled"


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["create", "echo", "-n", "a/b"], 1, "it has a slash"),
        (["create", "echo", "-n", ".."], 1, "another folder"),
        (["create", "echo", "-n", "x" * 300], 1, "300 bytes"),
        (["create", "echo ${nope}"], 2, "${nope} is no magic variable"),
        (["create", "echo", "--", "${env:NOT_THERE}"], 2, "no variable NOT_THERE"),
        (["create", " "], 2, "COMMAND is empty"),
        (["create"], 2, "Missing argument"),
        (["create", "missing.py"], 2, "missing.py: there is no such file"),
        (["create", "echo", "-c", "7"], 1, "asks for 7 devices; there is no GPU"),
        (["create", "echo", "--slots", "cores=9"], 2, "no 9 cores"),
        (["create", "echo", "-M", "much"], 2, "no amount of memory"),
        (["create", "echo", "-m", "--", "[1,"], 0, ""),
        (["create", "echo", "-m", "--", "[(1]"], 2, "is missing"),
        (["kill", "nobody"], 1, "no task fits `nobody`"),
        (["kill"], 2, "say which tasks"),
        (["kill", "a", "--all"], 2, "say which tasks"),
        (["kill", "--all"], 1, "no such task"),
        (["cancel", "("], 2, "no regular expression"),
        (["resume", "nobody"], 1, "no task fits"),
        (["remove", "nobody"], 1, "no task fits"),
        (["set", "x.colour", "red"], 2, "`colour` cannot be set"),
        (["set", "x", "1"], 2, "TASK.ATTR"),
        (["set", "x.priority", "high"], 2, "no whole number"),
        (["list", "colour"], 2, "no attribute `colour`"),
        (["list", "--filter", "__import__('os')"], 2, "filter `"),
        (["test", "nobody"], 1, "no task fits"),
        (["clean", "-b", "yesterday"], 2, "is no date"),
    ],
)
def test_every_failure_is_one_line_and_a_status(
    failing: Shell, words: list[str], status: int, said: str
) -> None:
    done = failing.run("hsched", *words)
    assert done.returncode == status, done
    assert said in done.stderr
    assert not status or re.fullmatch(rf"hsched {words[0]}: [^\n]+\n", done.stderr), done.stderr


@pytest.fixture(scope="module")
def failing() -> Iterator[Shell]:
    """One scheduler for all the commands that fail; they leave it as it is."""
    terminal = Shell()
    terminal.ok("hstart", "cores=4")
    yield terminal
    terminal.close()


def test_watch_tells_each_change_until_all_are_done(lab: Shell) -> None:
    lab.ok("hsched", "create", WAIT, "-n", "a")
    lab.ok("hsched", "create", f"{WAIT}; exit 3", "-n", "b")
    watch = subprocess.Popen(
        ["hsched", "watch"], cwd=lab.folder, env=lab.env, text=True, stdout=subprocess.PIPE
    )
    first = lines_until(watch, " b running")
    assert [line.split()[1:] for line in first][-2:] == [["a", "running"], ["b", "running"]]
    (lab.folder / "go").touch()
    rest = watch.communicate(timeout=DEADLINE_S)[0]
    assert " a done\n" in rest
    assert " b failed (exit status 3)\n" in rest
    assert watch.returncode == 0


def test_run_shows_failures_in_the_foreground_and_ctrl_c_ends_all(shell: Shell) -> None:
    run = subprocess.Popen(
        ["hsched", "run"], cwd=shell.folder, env=shell.env, text=True, stdout=-1, stderr=-1
    )
    assert run.stdout is not None
    assert run.stdout.readline().startswith("started default scheduler with nslots = ")
    second = shell.run("hsched", "run")
    assert second.returncode == 1
    assert "is already running with PID" in second.stderr
    shell.ok("hsched", "create", "echo to the point >&2; exit 3", "-n", "bad")
    assert "bad: failed (exit status 3)" in lines_until(run, "bad | to the point")
    shell.ok("hsched", "create", "sleep 300", "-n", "long")
    lines_until(run, "long: running")
    run.terminate()
    assert "default scheduler has ended" in run.communicate(timeout=DEADLINE_S)[0]
    assert run.returncode == 0
    assert shell.run("hsched", "test").returncode == 1
    assert shell.processes() == []


def test_clean_removes_old_runs_of_ours_and_nothing_else(shell: Shell) -> None:
    home = shell.state / "default"
    for name in ("one", "two", "three"):
        shell.ok("hsched", "create", f"echo {name}", "-n", name)
        shell.ok("hwait", name)
        if name != "three":
            shell.ok("hsched", "exit")
    runs = sorted(path.parent for path in home.glob("*/*/records"))
    assert len(runs) == 3
    mine = home / "2020-01-01" / "00-00-00" / "records"
    mine.mkdir(parents=True)
    (home / "notes").write_text("keep")
    first = runs[0].with_name("elsewhere")
    runs[0].rename(first)
    runs[0].symlink_to(first)  # a link in its place is not what we made
    assert shell.ok("hsched", "clean", "--dry-run") == f"{runs[1]}\nwould remove 1 run folders"
    assert runs[1].exists()
    assert shell.ok("hsched", "clean", "-a", "+1h") == "removed 0 run folders"
    assert shell.ok("hsched", "clean", "-b", "2020-01-01") == "removed 0 run folders"
    assert shell.ok("hsched", "clean", "-v", "-b", "+1h") == f"{runs[1]}\nremoved 1 run folders"
    assert not runs[1].exists()
    assert shell.ok("hlog", "three") == "three", "the live run is not touched"
    shell.ok("hsched", "exit")
    assert shell.ok("hsched", "clean", "-A") == "removed 1 run folders"
    assert first.is_dir()
    assert mine.is_dir()
    assert (home / "notes").exists()
    assert shell.run("hsched", "clean", "--scheduler", "never").returncode == 1


def test_the_format_of_run_folders_is_honoured_and_checked(shell: Shell) -> None:
    shell.env["CACHE_DIR_FORMAT"] = "runs/%Y"
    shell.ok("hsched", "create", "echo hi", "-n", "t")
    shell.ok("hwait", "t")
    assert re.search(r"/default/runs/\d{4}$", str(run_folder(shell)))
    assert shell.ok("hlog", "t") == "hi"
    shell.ok("hsched", "exit")
    for bad in ("../%Y", "/tmp/%Y", "hsched.db", "a//b"):
        refused = shell.run("hstart", env={"CACHE_DIR_FORMAT": bad})
        assert refused.returncode == 2
        assert "gives no folder" in refused.stderr


def test_jobs_with_a_name_have_a_folder_and_none_takes_that_of_another(lab: Shell) -> None:
    for _ in range(2):
        lab.wait(lab.submit("--job-name", "n", "1", "echo $HSCHED_JOB_ID"))
    lab.wait(lab.submit("--job-name", "odd/../name", "1", "echo odd"))
    lab.wait(lab.submit("1", "echo unnamed"))
    outs = [os.path.relpath(lab.job(str(i))["out"], run_folder(lab)) for i in range(1, 5)]
    assert outs == ["n/stdout.log", "n~2/stdout.log", "3.out", "4.out"]
    assert [lab.ok("hlog", str(i)) for i in range(1, 5)] == ["1", "2", "odd", "unnamed"]
