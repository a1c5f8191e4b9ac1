"""Where a job reads and writes."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path

import pytest

from hsched.native.record import Exited, Signalled, SpawnFailed
from tests.shim.harness import Spawner, is_alive, until

BOTH = "echo out; echo err >&2"


def test_each_stream_has_its_file(shim: Spawner, tmp_path: Path) -> None:
    (tmp_path / "in").write_text("input")
    shim.run("sh", "-c", f"cat; {BOTH}", stdin=b"in")
    assert shim.out() == b"inputout\n"
    assert shim.out("err") == b"err\n"


def test_without_files_the_streams_are_null(shim: Spawner) -> None:
    line = "test ! -s /dev/stdin && test $(readlink /proc/$$/fd/2) = /dev/null && echo y >&3"
    shim.run("sh", "-c", f"exec 3>seen 1>&2; cat; {line}", stdout=None, stderr=None)
    assert shim.out("seen") == b"y\n"


def test_absolute_paths(shim: Spawner, tmp_path: Path) -> None:
    shim.run("sh", "-c", BOTH, cwd=b"/", stdout=bytes(tmp_path / "o"), stderr=bytes(tmp_path / "e"))
    assert (shim.out("o"), shim.out("e")) == (b"out\n", b"err\n")


@pytest.mark.parametrize("err", [b"both", b"./both"])
def test_one_file_for_both_interleaves(shim: Spawner, err: bytes) -> None:
    lines = "; ".join([BOTH] * 3)
    shim.run("sh", "-c", lines, stdout=b"both", stderr=err)
    assert shim.out("both") == b"out\nerr\n" * 3


def test_files_are_truncated(shim: Spawner, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("old and long\n")
    shim.run("echo", "new")
    assert shim.out() == b"new\n"


def test_files_are_appended_to(shim: Spawner, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("old\n")
    shim.run("sh", "-c", "echo new; echo other >>out; echo last", append=True)
    assert shim.out() == b"old\nnew\nother\nlast\n"


def test_missing_folders_are_made_where_that_is_asked_for(shim: Spawner, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    names = {"stdout": b"there/a/b//out", "stderr": bytes(tmp_path / "c" / "err")}
    shim.run("sh", "-c", BOTH, umask=0o027, make_folders=True, **names)
    assert (shim.out("there/a/b/out"), shim.out("c/err")) == (b"out\n", b"err\n")
    assert (tmp_path / "there/a").stat().st_mode & 0o777 == 0o750


def test_without_being_asked_no_folder_is_made(shim: Spawner, tmp_path: Path) -> None:
    failed = shim.run("true", stdout=b"missing/out")
    assert failed.ending == SpawnFailed(errno.ENOENT, "out")
    assert not (tmp_path / "missing").exists()


def test_a_folder_that_cannot_be_made_is_told(shim: Spawner, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    failed = shim.run("true", stdout=b"file/a/out", make_folders=True)
    assert failed.ending == SpawnFailed(errno.ENOTDIR, "out")


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0, 0o666)])
def test_new_files_have_the_umask(shim: Spawner, tmp_path: Path, umask: int, mode: int) -> None:
    shim.run("sh", "-c", "umask; : >mine", umask=umask)
    assert int(shim.out(), 8) == umask
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in ("out", "err", "mine")} == {mode}


def test_a_limit_on_file_size_holds_for_the_job_alone(shim: Spawner) -> None:
    import resource

    record = shim.run("echo", "text", limits=[(resource.RLIMIT_FSIZE, 0, 0)])
    assert isinstance(record.ending, Signalled)
    assert record.ending.signal == signal.SIGXFSZ


def test_a_fifo_holds_up_its_job_until_somebody_writes(shim: Spawner, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    held = shim.start("cat", stdin=b"fifo")
    until(lambda: held.record.started, "the start")
    assert held.record.command is None
    (tmp_path / "fifo").write_text("hello")
    assert isinstance(held.wait().ending, Exited)
    assert shim.out() == b"hello"


@pytest.mark.parametrize("asked", [signal.SIGTERM, 33 + signal.SIGTERM, 33 + signal.SIGKILL])
@pytest.mark.parametrize("stream", ["stdin", "stdout", "stderr"])
def test_a_job_blocked_in_open_can_be_killed(
    shim: Spawner, tmp_path: Path, stream: str, asked: int
) -> None:
    os.mkfifo(tmp_path / "fifo")
    held = shim.start("echo", **{stream: b"fifo"})
    until(lambda: held.record.started, "the start")
    os.kill(held.pid, asked)
    record = held.wait()
    assert record.command is None, "there was no exec"
    assert isinstance(record.ending, Signalled)
    assert record.ending.signal == (9 if asked == 42 else 15)


def test_a_shim_killed_while_its_job_opens_gives_up_the_lock(shim: Spawner, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    held = shim.start("cat", stdin=b"fifo")
    until(lambda: held.record.started, "the start")
    until(lambda: _sleeps_in_open(held.pid), "the child in open")
    os.kill(held.pid, signal.SIGKILL)
    held.wait_status()
    assert not held.is_locked()


def _sleeps_in_open(pid: int) -> bool:
    import psutil

    children = psutil.Process(pid).children()
    return bool(children) and not _has(children[0].pid, 4)


def _has(pid: int, fd: int) -> bool:
    return os.path.lexists(f"/proc/{pid}/fd/{fd}")


@pytest.mark.parametrize(
    ("settings", "step", "reason"),
    [
        ({"cwd": b"/no/such/folder"}, "chdir", errno.ENOENT),
        ({"cwd": b"/etc/passwd"}, "chdir", errno.ENOTDIR),
        ({"stdin": b"missing"}, "in", errno.ENOENT),
        ({"stdout": b"missing/out"}, "out", errno.ENOENT),
        ({"stdout": b"/"}, "out", errno.EISDIR),
        ({"stderr": b"missing/err"}, "err", errno.ENOENT),
        ({"limits": [(7, 20, 10)]}, "limits", errno.EINVAL),
        ({"limits": [(99, 1, 1)]}, "limits", errno.EINVAL),
        ({"argv": (b"missing",)}, "exec", errno.ENOENT),
    ],
)
def test_a_step_that_fails_is_named(
    shim: Spawner, tmp_path: Path, settings: dict[str, object], step: str, reason: int
) -> None:
    message = tmp_path / "err"
    settings = {"stderr": bytes(message), **settings}
    record = shim.run("true", **settings)
    assert record.started
    assert record.command is None
    assert record.ending == SpawnFailed(reason, step)
    if step != "err":
        name = "missing" if step == "exec" else "true"
        text = f"hsched: cannot start {name}: {step}: {os.strerror(reason)}\n"
        assert message.read_text() == text


def test_the_reason_goes_to_a_relative_file_in_the_working_folder(shim: Spawner) -> None:
    shim.run("true", stdin=b"missing")
    assert shim.out("err") == b"hsched: cannot start true: in: No such file or directory\n"


def test_a_reason_is_appended(shim: Spawner, tmp_path: Path) -> None:
    (tmp_path / "err").write_text("old\n")
    shim.run("true", stdin=b"missing", append=True)
    assert shim.out("err").startswith(b"old\nhsched: cannot start")


def test_a_reason_does_not_wait_for_a_reader(shim: Spawner, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    record = shim.run("true", stdin=b"missing", stderr=b"fifo")
    assert record.ending == SpawnFailed(errno.ENOENT, "in")


@pytest.mark.parametrize("plan", [b"", b"plan=2\0arg=true\0", b"plan=1\0", b"plan=1\0arg=true"])
def test_a_plan_that_is_none(shim: Spawner, plan: bytes) -> None:
    record = shim.spawn(plan).wait()
    assert record.started
    assert record.ending == SpawnFailed(errno.EINVAL, "plan")


def test_unknown_keys_are_passed_over(shim: Spawner) -> None:
    record = shim.spawn(b"plan=1\0future=yes\0plain\0arg=true\0").wait()
    assert isinstance(record.ending, Exited)
    assert not is_alive(record.started.pid if record.started else 1)
