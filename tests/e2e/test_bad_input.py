"""Nonsense gets one line and a status, and the broker does not mind."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import hsched
from hsched.errors import WrongUsage
from tests.e2e.shell import Shell


@pytest.fixture
def patient(sched: Shell) -> Iterator[Shell]:
    """A scheduler that must have come through the test alive, and be the same process."""
    before = sched.broker_pid()
    yield sched
    assert sched.broker_pid() == before
    assert sched.wait(sched.submit("1", "true"))["outcome"] == "succeeded"


def refused(shell: Shell, *words: str, status: int) -> str:
    """Run a command that must fail with ``status`` and one line; return the line."""
    done = shell.run(*words)
    assert (done.returncode, done.stdout) == (status, ""), done
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith(f"{words[0]}: ")
    return str(done.stderr)


@pytest.mark.parametrize(
    ("slots", "told"),
    [
        ("7", ["7", "cores", "6"]),
        ("0,3", ["3", "gpus", "2"]),
        ("cores=1,gpus=3", ["3", "gpus", "2"]),
        ("1,1,1,1", ["more numbers than resources"]),
        ("two", ["two"]),
        ("1.5", ["1.5"]),
        ("1,,2", ["empty"]),
        ("", ["empty"]),
        ("1,", ["empty"]),
        ("nonsense=1", ["nonsense"]),
        ("9" * 400, ["no"]),
        ("٣", ["٣"]),
    ],
)
def test_slots_that_make_no_sense_or_are_not_there(
    patient: Shell, slots: str, told: list[str]
) -> None:
    line = refused(patient, "hsubmit", slots, "true", status=2)
    assert all(word in line for word in told), line


@pytest.mark.parametrize(
    ("words", "told", "status"),
    [
        (["--dep", "99", "1", "true"], "99", 1),
        (["--dep", "", "1", "true"], "was the variable empty?", 2),
        (["1", "--dep", "next"], "`next` is no job id; was the variable empty?", 2),
        (["1", "--dep", "next", "true"], "`next` is no job id; was the variable empty?", 2),
        (["--dep", "0", "1", "true"], "no job id", 2),
        (["--dep", "9" * 40, "1", "true"], "no job id", 2),
        (["--dep", "sometimes:1", "1", "true"], "no condition", 2),
        (["--env", "FOO", "1", "true"], "NAME=VALUE", 2),
        (["--nonsense", "1", "true"], "--nonsense", 2),
        (["1", ""], "COMMAND", 2),
        ([], "SLOTS", 2),
    ],
)
def test_a_submission_that_makes_no_sense(
    patient: Shell, words: list[str], told: str, status: int
) -> None:
    assert told in refused(patient, "hsubmit", *words, status=status)
    assert patient.run("hjobs", "--all").stdout == "no jobs found\n"


@pytest.mark.parametrize("name", ["a/b", "..", ".hidden", "x" * 300, "a\nb", "\x1b[31m"])
@pytest.mark.parametrize("command", ["hstart", "hjobs", "hstatus"])
def test_a_name_that_is_none(shell: Shell, command: str, name: str) -> None:
    done = shell.run(command, "--name", name)
    assert done.returncode == 2
    assert done.stdout in ("", "no schedulers found\n")
    assert done.stderr.splitlines()[-1].startswith(f"{command}: scheduler name")
    assert "\x1b" not in done.stderr


def test_a_name_with_a_nul_is_refused_by_the_client() -> None:
    with pytest.raises(WrongUsage, match="scheduler name"):
        hsched.Client("a\0b")


def test_an_unknown_name_is_not_running(shell: Shell) -> None:
    assert "bad state or not running" in refused(shell, "hjobs", "-n", "unknown", status=1)


@pytest.mark.parametrize(
    "spec", ["", "a", "-1", "-x", "1,,2", "1.5", "99999999", "cores=1,cores=2", "="]
)
def test_a_spec_that_makes_no_sense(shell: Shell, spec: str) -> None:
    refused(shell, "hstart", "--", spec, status=2)
    shell.until(lambda: not shell.processes(), "the broker that gave up is gone")


def test_ten_thousand_arguments_are_just_many(patient: Shell) -> None:
    words = [f"argument {number}" for number in range(10_000)]
    code = "import sys; print(len(sys.argv), sys.argv[-1])"
    patient.wait(patient.submit("1", "--out", "seen", sys.executable, "-c", code, *words))
    assert patient.written("seen") == "10001 argument 9999\n"


def test_an_argument_of_any_bytes_is_shown_in_one_line(patient: Shell) -> None:
    patient.ok("hsubmit", "1", "printf", "%s", b"a\nb\xff", "")
    patient.wait("1")
    _header, line = patient.ok("hjobs", "--all").split("\n")
    assert line.endswith("printf %s $'a\\nb\\xff' ''")
    assert patient.job("1")["command"] == ["printf", "%s", "a\nb\udcff", ""]


@pytest.mark.parametrize("words", [["hkill", "99"], ["hkill", "nonsense"], ["hkill", "5-9"]])
def test_killing_what_is_not_there(patient: Shell, words: list[str]) -> None:
    assert "couldn't find job" in refused(patient, *words, status=1)


def test_listing_what_is_not_there(patient: Shell) -> None:
    assert "no such job found" in refused(patient, "hjobs", "99", status=1)
    assert "no such job found" in refused(patient, "hjobs", "--all", "99", status=1)
    assert "run" in refused(patient, "hjobs", "--run", "nonsense", status=1)


def test_a_state_folder_that_cannot_be_written(shell: Shell) -> None:
    shell.env["HOME"] = "/proc"  # even root cannot make a folder there
    assert "HSCHED_HOME" in refused(shell, "hstart", "1", status=1)
    assert "not running" in refused(shell, "hjobs", status=1)


def test_a_state_folder_that_others_may_write(shell: Shell) -> None:
    folder = shell.state / "default"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    assert "may be written by others" in refused(shell, "hstart", "1", status=1)


def test_a_home_two_hundred_characters_deep_is_no_hindrance(shell: Shell) -> None:
    deep = shell.home / ("d" * 99) / ("e" * 99)
    deep.mkdir(parents=True)
    shell.env["HOME"] = str(deep)
    assert shell.ok("hstart", "1") == "started default scheduler with nslots = 1"
    assert shell.submit("1", "true") == "1"
    shell.ok("hstop", "--force")


def test_without_home_the_password_file_says_where(shell: Shell) -> None:
    del shell.env["HOME"]
    line = refused(shell, "hjobs", "-n", "surely-not-there", status=1)
    assert "bad state or not running" in line


@pytest.mark.parametrize("kind", ["file", "link", "somebody's"])
def test_a_socket_that_is_not_ours_is_not_spoken_to(patient: Shell, kind: str) -> None:
    address = patient.state / "default" / "address"
    before = address.read_text()
    fake = patient.home / "fake"
    _make(fake, kind)
    address.write_text(f"ipc://{fake}\n{patient.broker_pid()}\n")
    assert "is not a socket of yours" in refused(patient, "hjobs", status=1)
    address.write_text(before)


def _make(path: Path, kind: str) -> None:
    if kind == "file":
        path.touch()
    elif kind == "link":
        path.symlink_to("/run")
    elif os.geteuid() == 0:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
        os.chown(path, 65534, 65534)
    else:
        path.symlink_to("/nonsense")


def test_a_broker_that_hangs_does_not_hang_the_listing(shell: Shell) -> None:
    shell.sh("hstart -n stuck 1; hstart -n well 2")
    shell.sh(f"kill -STOP {shell.broker_pid('stuck')}")
    listed = shell.run("hstatus")
    assert listed.returncode == 1
    rows = [line.split() for line in listed.stdout.splitlines()]
    assert rows[1] == ["stuck", *"-----", "not", "answering"]
    assert rows[2][:2] == ["well", "2"]
    assert "did not answer in 2 s" in listed.stderr
