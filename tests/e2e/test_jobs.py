"""Jobs: what they get, what is kept of them, and how they end."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from pathlib import Path

import pytest

from tests.e2e.shell import Shell

SHOW = f"{sys.executable} -c"


def test_every_word_of_an_argv_arrives_as_it_was(sched: Shell) -> None:
    code = "import os, sys; print([os.fsencode(a) for a in sys.argv[1:]])"
    odd = [b"a  b", b"$HOME", b"", b"new\nline", b"\xff\xfe", b"--dep", b"--", b"'\""]
    job = sched.submit("1", "--out", "seen", sys.executable, "-c", code, *odd)  # type: ignore[arg-type] # bytes are words too
    assert sched.wait(job)["outcome"] == "succeeded"
    assert sched.written("seen") == f"{odd}\n"


def test_a_job_gets_folder_environment_umask_and_limits_of_its_submitter(sched: Shell) -> None:
    sub = sched.folder / "sub"
    sub.mkdir()
    line = (
        "cd sub; umask 027; ulimit -n 123; export COLOUR=red; "
        "hsubmit 1 --out out -- 'pwd; umask; ulimit -n; echo $COLOUR'"
    )
    sched.wait(sched.sh(line))
    assert (sub / "out").read_text().split() == [str(sub), "0027", "123", "red"]


def test_a_job_does_not_see_what_belongs_to_the_job_that_submitted_it(sched: Shell) -> None:
    inner = "hsubmit 0 --out inner 'env | grep -E \"^(QUEUE|CUDA|HSCHED)\" | sort'"
    outer = sched.submit("6,2,1", "--out", "outer", "--", inner)
    sched.wait(outer)
    sched.wait(sched.written("outer").strip())
    seen = dict(line.split("=", 1) for line in sched.written("inner").splitlines())
    assert seen["QUEUE0"] == seen["QUEUE1"] == seen["QUEUE2"] == ""
    assert seen["CUDA_VISIBLE_DEVICES"] == ""
    assert seen["HSCHED_JOB_ID"] == "2"


def test_slots_are_numbered_lowest_first(sched: Shell) -> None:
    sched.submit("1", "sleep", "1000")
    job = sched.submit("1,2", "--out", "seen", "echo $QUEUE0 $QUEUE1 $CUDA_VISIBLE_DEVICES")
    sched.wait(job)
    assert sched.written("seen") == "1 0,1 0,1\n"


def test_a_job_writes_to_the_run_folder_by_default(sched: Shell) -> None:
    job = sched.submit("1", "echo to out; echo to err >&2")
    view = sched.wait(job)
    assert Path(view["out"]).read_text() == "to out\n"
    assert Path(view["err"]).read_text() == "to err\n"
    assert Path(view["out"]).parent == (sched.state / "default/current").resolve()


def test_one_file_for_both_streams_keeps_the_order_of_lines(sched: Shell) -> None:
    job = sched.submit("1", "--out", "all", "--err", "all", "echo 1; echo 2 >&2; echo 3")
    sched.wait(job)
    assert (sched.folder / "all").read_text() == "1\n2\n3\n"


def test_output_is_truncated_unless_appended(sched: Shell) -> None:
    (sched.folder / "log").write_text("before\n")
    sched.wait(sched.submit("1", "--out", "log", "-a", "echo added"))
    assert (sched.folder / "log").read_text() == "before\nadded\n"
    sched.wait(sched.submit("1", "--out", "log", "echo alone"))
    assert (sched.folder / "log").read_text() == "alone\n"


def test_standard_input_is_empty_unless_given(sched: Shell) -> None:
    (sched.folder / "input").write_text("some input\n")
    sched.wait(sched.submit("1", "--out", "none", "wc -c"))
    sched.wait(sched.submit("1", "--in", "input", "--out", "some", "cat"))
    assert (sched.folder / "none").read_text().strip() == "0"
    assert (sched.folder / "some").read_text() == "some input\n"


def test_a_job_that_waits_for_a_fifo_holds_up_only_itself(sched: Shell) -> None:
    os.mkfifo(sched.folder / "fifo")
    stuck = sched.submit("1", "--in", "fifo", "cat")
    assert sched.wait(sched.submit("1", "true"))["outcome"] == "succeeded"
    assert sched.job(stuck)["state"] == "running"
    sched.ok("hkill", stuck)
    assert sched.job(stuck)["outcome"] == "cancelled"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["no-such-program"], "No such file"),
        (["/etc/passwd"], "Permission denied"),
        (["--out", "/proc/none/x", "true"], "No such file"),
        (["--in", "missing", "cat"], "No such file"),
    ],
)
def test_what_cannot_start_ends_with_the_reason(
    sched: Shell, words: list[str], reason: str
) -> None:
    job = sched.wait(sched.submit("1", *words))
    assert job["outcome"] == "spawn failed"
    assert reason in job["reason"]
    if "--out" not in words:
        assert reason in Path(job["err"]).read_text()
    assert sched.wait(sched.submit("6", "true"))["outcome"] == "succeeded", "slots are back"


def test_a_job_whose_folder_went_away_is_a_spawn_failure(sched: Shell) -> None:
    gone = sched.folder / "gone"
    gone.mkdir()
    first = sched.submit("6", "sleep", "1000")
    job = sched.submit("6", "true", cwd=gone)
    gone.rmdir()
    sched.ok("hkill", first)
    ended = sched.wait(job)
    assert (ended["outcome"], "working directory" in ended["reason"]) == ("spawn failed", True)


def test_exit_status_and_signal_are_kept(sched: Shell) -> None:
    assert sched.wait(sched.submit("1", "exit 3"))["exit_status"] == 3
    ended = sched.wait(sched.submit("1", "kill -9 $$"))
    assert (ended["outcome"], ended["signal"]) == ("signalled", signal.SIGKILL)


def test_a_kill_ends_the_whole_tree_before_it_returns(sched: Shell) -> None:
    line = "trap '' TERM; (setsid sleep 1001 &) ; env -i setsid -f sleep 1002; touch up; sleep 1003"
    job = sched.submit("1", "--grace", "0.2", "--", line)
    sched.until((sched.folder / "up").exists, "the job runs")
    sched.ok("hkill", job)
    assert not sched.pids(r"sleep 100[123]")
    assert sched.run("hjobs", job).returncode == 1
    assert sched.job(job)["outcome"] == "cancelled"


def test_a_signal_other_than_term_and_kill_changes_nothing_else(sched: Shell) -> None:
    job = sched.submit(
        "1",
        "--out",
        "seen",
        "trap 'echo got it; exit 5' USR1; touch up; while :; do sleep 0.01; done",
    )
    sched.until((sched.folder / "up").exists, "the job runs")
    sched.ok("hkill", "-s", "USR1", job)
    ended = sched.wait(job)
    assert (ended["outcome"], ended["exit_status"]) == ("failed", 5)
    assert sched.written("seen") == "got it\n"


def test_what_the_first_process_leaves_behind_is_ended(sched: Shell) -> None:
    job = sched.submit("1", "--grace", "0.2", "setsid -f sleep 1004; touch up")
    ended = sched.wait(job)
    assert (ended["outcome"], ended["tree_left"]) == ("succeeded", "ended")
    assert not sched.pids("sleep 1004")


def test_what_shall_be_left_is_left(sched: Shell) -> None:
    ended = sched.wait(sched.submit("1", "--leave-children", "setsid -f sleep 1005"))
    assert (ended["outcome"], ended["tree_left"]) == ("succeeded", "running")
    assert sched.pids("sleep 1005")


def test_a_dependant_waits_for_the_end_however_it_was(sched: Shell) -> None:
    first = sched.submit("1", "sleep 0.1; echo first >> log; exit 1")
    second = sched.submit("1", "--dep", first, "echo second >> log")
    assert sched.wait(second)["outcome"] == "succeeded"
    assert (sched.folder / "log").read_text().split() == ["first", "second"]


def test_a_dependant_that_can_never_run_ends_with_the_reason(sched: Shell) -> None:
    first = sched.submit("1", "exit 3")
    second = sched.submit("1", "--dep", f"afterok:{first}", "touch never")
    third = sched.submit("1", "--dep", f"afterok:{second}", "touch never")
    for job, upstream in ((second, first), (third, second)):
        ended = sched.wait(job)
        assert ended["outcome"] == "dependency failed"
        assert f"job {upstream}" in ended["reason"]
    assert not (sched.folder / "never").exists()


def test_a_finished_job_can_still_be_depended_on(sched: Shell) -> None:
    first = sched.submit("1", "true")
    sched.wait(first)
    job = sched.submit("1", "--dep", f"afterok:{first}", "true")
    assert sched.wait(job)["outcome"] == "succeeded"


def test_a_thousand_words_of_a_kilobyte_arrive(sched: Shell) -> None:
    words = ["x" * 1000] * 1000
    job = sched.submit("1", "--out", "count", "sh", "-c", "echo $#", "sh", *words)
    sched.wait(job)
    assert sched.written("count") == "1000\n"


def test_the_command_is_shown_as_it_can_be_typed_again(sched: Shell) -> None:
    job = sched.submit("6", "sleep", "1000")
    argv = ["echo", "a  b", "$x", ""]
    waiting = sched.submit("6", *argv)
    line = next(li for li in sched.ok("hjobs").splitlines() if li.startswith(waiting))
    assert line.endswith(shlex.join(argv))
    sched.ok("hkill", job, waiting)
