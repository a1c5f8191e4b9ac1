"""`hsched top` on a pseudo-terminal, with real brokers and real jobs."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.devices.conftest import library
from tests.devices.fake import Fake
from tests.e2e.painted import Painted
from tests.e2e.shell import DEADLINE_S, Shell

__all__ = ["library"]

DOWN, END, HOME = "\x1b[B", "\x1b[F", "\x1b[H"
CTRL_C, CTRL_Z = "\x03", "\x1a"
TITLES = ("ID  STATE", "COMMAND")


@pytest.fixture
def top(desk: Shell) -> Iterator[Painted]:
    """The view on a screen of 80 by 24, with nothing in the queue."""
    desk.run("hkill", "--all")
    with Painted(desk, "hsched", "top") as painted:
        painted.sees("no jobs; submit one", "0 running, 0 pending", "q  quit")
        yield painted


def row(top: Painted, identity: str) -> str:
    """Return the line of a job; empty where there is none."""
    found = re.search(rf"^[ ▶>]+{re.escape(identity)}  .*", top.text, re.M)
    return found[0] if found else ""


def test_what_happens_is_seen_as_it_happens(desk: Shell, top: Painted) -> None:
    first = desk.submit("2,1,8", "--job-name", "train", "while :; do :; done")
    top.until(lambda: "running" in row(top, first), "it runs")
    top.sees(f"cores  {first} {first} · ·", f"gpus   {first} ·", "8.0G of 32G", "1 running")
    top.until(lambda: re.search(r"running +2,1,8G +\d:\d\d +[1-9]\d* ", row(top, first)), "its CPU")
    second = desk.submit("3", "sleep", "1000")
    top.until(lambda: "pending" in row(top, second), "the other waits")
    desk.ok("hhold", second)
    top.until(lambda: "held" in row(top, second), "it is held by somebody else")
    desk.ok("hnslots", "drain", "cores:3")
    top.sees(f"cores  {first} {first} · x")
    desk.ok("hnslots", "undrain", "cores:3")
    desk.ok("hkill", first)
    top.until(lambda: "cancelled" in row(top, first), "it is said to have ended")
    top.sees("cores  · · · ·", "0 running, 1 pending")


def test_keys_hold_release_and_kill(desk: Shell, top: Painted) -> None:
    first, second = desk.submit("4", "sleep", "1000"), desk.submit("4", "sleep", "1001")
    top.until(lambda: "pending" in row(top, second), "the second waits")
    top.type(DOWN)
    top.sees(f"▶ {second:>4}", "slots: needs 4 cores")
    top.type("h")
    top.sees(f"job {second} (sleep 1001) is held")
    assert desk.job(second)["reason"] == "held"
    top.type("r")
    top.sees(f"job {second} (sleep 1001) is released")
    top.type("k")
    top.sees(f"Kill job {second} (sleep 1001)? y kills it")
    top.type("n")
    top.sees("slots: needs 4 cores", absent=("Kill job",))
    assert desk.job(second)["state"] == "pending"
    top.type(HOME + "h")
    top.sees(f"job {first} is running: hold is for pending jobs", absent=("Kill",))
    top.type("ky")
    top.until(lambda: "running" in row(top, second), "the second has its place")
    assert desk.wait(first)["outcome"] == "cancelled"


def test_the_log_is_followed(desk: Shell, top: Painted) -> None:
    job = desk.submit("1", "echo one; echo bad >&2; while ! test -e go; do sleep 0.02; done; seq 9")
    top.until(lambda: "running" in row(top, job), "it runs")
    top.type("l")
    top.sees(f"job {job}", "standard output", "\none", "q  back")
    top.type("e")
    top.sees("standard error", "\nbad")
    top.type("e")
    top.sees("\none", absent=("bad",))
    (desk.folder / "go").touch()
    top.sees("\n9", "the job has ended")
    top.type("\x1b")
    top.sees(*TITLES)
    os.unlink(desk.folder / "go")


def test_a_job_that_writes_without_end_does_not_take_the_keys(desk: Shell, top: Painted) -> None:
    job = desk.submit("1", "while ! test -e go; do sleep 0.02; done; yes hello | head -c 300000000")
    top.until(lambda: "running" in row(top, job), "it runs")
    top.type("l")
    top.sees("nothing yet")
    (desk.folder / "go").touch()
    top.sees("\nhello")
    top.type("\x1b[A")
    top.sees("lines below")
    top.type("q")
    top.sees(*TITLES)
    os.unlink(desk.folder / "go")


def test_sizes(desk: Shell, top: Painted) -> None:
    desk.submit("1", "sleep", "1000")
    waits = desk.submit("4", "sleep", "1001")
    top.until(lambda: "pending" in row(top, waits), "it is there")
    top.resize(200, 60)
    top.sees("WHY", "slots: needs 4 cores")
    assert "quit" in top.screen.display[59]
    top.resize(20, 6)
    top.until(lambda: "move" in top.screen.display[5], "it is small")
    top.resize(80, 24)
    top.sees("COMMAND", "q  quit", absent=("WHY",))
    top.type("?")
    top.sees("asks first")
    top.type("x")
    top.sees(*TITLES)


def test_without_colour(desk: Shell) -> None:
    desk.run("hkill", "--all")
    desk.submit("1", "sleep", "1000")
    with Painted(desk, "hsched", "top") as coloured:
        coloured.sees("running")
    with Painted(desk, "hsched", "top", NO_COLOR="1") as painted:
        painted.sees("running")
        painted.type("q")
        assert (painted.ends(), painted.is_restored()) == (0, True)
    colours = re.compile(rb"\x1b\[[0-9;]*3[0-7]m")
    assert colours.search(coloured.written)
    assert not colours.search(painted.written)


def test_a_terminal_without_unicode(desk: Shell) -> None:
    desk.run("hkill", "--all")
    with Painted(desk, "hsched", "top", PYTHONUTF8="0", LC_ALL="C", PYTHONCOERCECLOCALE="0") as p:
        p.sees("cores  . . . .", "up/down")
        assert p.written.isascii()


@pytest.mark.parametrize(
    ("ending", "status"),
    [("q", 0), (CTRL_C, -signal.SIGINT), (signal.SIGTERM, -signal.SIGTERM), ("\x1c", -3)],
)
def test_every_way_out_gives_the_terminal_back(
    top: Painted, ending: str | signal.Signals, status: int
) -> None:
    if isinstance(ending, str):
        top.type(ending)
    else:
        top.kill(ending)
    assert (top.ends(), top.is_restored()) == (status, True)


def test_it_ends_with_its_terminal(top: Painted) -> None:
    top.hang_up()
    assert top.process.wait(DEADLINE_S) == -signal.SIGHUP


def test_a_fault_of_ours_gives_the_terminal_back(desk: Shell) -> None:
    code = (
        "from hsched.cli.top import live\n"
        "live.frame = lambda *_: 1 / 0\n"
        "from hsched.cli.top.command import main; main()"
    )
    with Painted(desk, "python", "-c", code) as painted:
        assert (painted.ends(), painted.is_restored()) == (1, True)
        assert b"ZeroDivisionError" in painted.written.rpartition(b"\x1b[?1049l")[2]


def test_ctrl_z_and_fg(desk: Shell) -> None:
    desk.run("hkill", "--all")
    with Painted(desk, "bash", "--norc", "--noediting", "-i", PS1="ready> ") as bash:
        bash.sees("ready>")
        bash.type("hsched top\n")
        bash.sees("no jobs; submit one")
        for _ in range(2):
            before = len(bash.written)
            bash.type(CTRL_Z)
            bash.until(lambda: b"Stopped" in bash.written[before:], "it is stopped")  # noqa: B023
            assert bash.is_restored()
            bash.screen.reset()
            bash.type("fg\n")
            bash.sees("no jobs; submit one", "q  quit")
        bash.type("q")
        bash.until(bash.is_restored, "it is over")
        bash.type("exit 5\n")
        assert bash.ends() == 5


def test_in_the_background_it_waits_for_the_terminal(desk: Shell) -> None:
    with Painted(desk, "bash", "--norc", "--noediting", "-i", PS1="ready> ") as bash:
        bash.sees("ready>")
        bash.type("hsched top & wait %1; jobs -s\n")
        bash.sees("Stopped")
        assert bash.is_restored(entered=False)
        bash.type("fg\n")
        bash.sees("cores  ", "q  quit")
        bash.type("q")
        bash.until(bash.is_restored, "it is over")


def test_gpus(shell: Shell, library: Path, tmp_path: Path) -> None:
    fake = Fake(library, tmp_path / "nvml.txt")
    gpu = "gpu GPU-aaaa 24576"
    fake.tell(gpu)
    shell.env.update(fake.env)
    shell.ok("hstart", "cores=2,gpus=1")
    job = shell.submit("1,1", "echo $$ > pid; exec sleep 1000")
    pid = shell.written("pid").strip()
    fake.tell(f"{gpu} util=87", f"compute {pid} 3072")
    with Painted(shell, "hsched", "top") as top:
        top.until(lambda: re.search(r"running .* 87% 3\.0G ", row(top, job)), "what it does there")


def test_10_000_jobs(shell: Shell) -> None:
    shell.ok("hstart", "2")
    lines = "".join(f"sleep {n}\n" for n in range(100_001, 110_001))
    shell.ok("hsubmit", "--each", "-", "1", input=lines)
    with Painted(shell, "hsched", "top") as top:
        top.sees("2 running, 9998 pending", "sleep 100001", absent=("reading",))
        top.type(END)
        top.sees("sleep 110000", absent=("sleep 100001",))
        shell.ok("hkill", "3-5000")
        top.sees("2 running, 5000 pending")
        top.type(HOME)
        top.until(lambda: "running" in row(top, "1") and row(top, "5001"), "those are gone")


def test_the_scheduler_stops_and_comes_back(shell: Shell) -> None:
    shell.ok("hstart", "2")
    shell.submit("1", "sleep", "1000")
    with Painted(shell, "hsched", "top") as top:
        top.until(lambda: "running" in row(top, "1"), "it runs")
        shell.kill_broker()
        second = shell.submit("2", "sleep", "1001")
        top.until(lambda: "pending" in row(top, second), "another broker tells of it")
        shell.ok("hstop", "--force")
        top.sees("hsched default: it has stopped", absent=("sleep",))
        top.type("h")
        shell.ok("hstart", "3")
        top.sees("cores  · · ·", "no jobs", absent=("has stopped",))
        shell.submit("1", "sleep", "1002")
        top.until(lambda: "running" in row(top, "1"), "it goes on")


def test_it_is_refused_with_a_word(desk: Shell, shell: Shell) -> None:
    piped = desk.run("hsched", "top")
    assert (piped.returncode, piped.stdout) == (2, "")
    assert piped.stderr.startswith("hsched top: it needs a terminal for its input and its output;")
    with Painted(desk, "hsched", "top", TERM="dumb") as dumb:
        assert dumb.ends() == 2
        dumb.sees("TERM is `dumb`")
    with Painted(shell, "hsched", "top") as none:
        assert none.ends() == 1
        none.sees("start it with `hstart`")
        assert b"\x1b" not in none.written


def test_the_picture_of_the_example(shell: Shell) -> None:
    example = Path(__file__).parents[2] / "examples/top.sh"
    shell.ok(example, "top.svg", env={"PYTHON": "python"})
    text = (shell.folder / "top.svg").read_text().replace("&#160;", " ")
    for word in ("resnet", "cores", "CPU%", "pending", "held"):
        assert word in text
    outside = re.findall(r"(?:href|src|url)\W+https?:", text)
    assert outside == []
    assert not shell.pids("train.py")
