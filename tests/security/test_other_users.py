"""Other users of the machine: they can neither read, nor command, nor stand in our way.

Needs root, to become somebody else; CI runs as root.
"""

from __future__ import annotations

import os
import socket
import stat
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
import zmq

from hsched.client.connection import check_socket
from hsched.errors import NotPermitted
from hsched.wire.frames import ErrorReply
from hsched.wire.message import from_json
from tests.e2e.shell import Shell

NOBODY = 65534

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def as_nobody(act: Callable[[], str]) -> str:
    """Return what ``act`` returns in a process of another user."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            os.write(write, act().encode())
        except BaseException:
            os.write(write, traceback.format_exc().encode())
        os._exit(0)
    os.close(write)
    with open(read, encoding="utf-8") as said:
        answer = said.read()
    os.waitpid(child, 0)
    return answer


def test_everything_that_is_kept_is_for_the_owner_alone(sched: Shell) -> None:
    sched.ok("hsubmit", "1", "--env", "SECRET=xyzzy", "echo secret; sleep 1000")
    sched.until(lambda: list(sched.state.glob("default/*/*/1.out")), "the job writes")
    folder = sched.state / "default"
    found = [folder, *folder.rglob("*")]
    open_to_others = {p.name for p in found if not p.is_symlink() and p.stat().st_mode & 0o077}
    assert open_to_others <= {"socket", "1.out", "1.err"}, "only behind the closed folder"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_another_user_cannot_reach_the_socket(sched: Shell) -> None:
    path = str(sched.state / "default/socket")

    def connect() -> str:
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(path)
            except PermissionError:
                return "refused"
        return "connected"

    assert as_nobody(connect) == "refused"


def test_another_user_who_reaches_the_socket_is_refused_by_the_broker(sched: Shell) -> None:
    path = sched.state / "default/socket"
    for parent in list(path.parents)[:-2]:
        parent.chmod(0o755)
    path.chmod(0o777)

    def ask() -> str:
        with zmq.Context() as context, context.socket(zmq.DEALER) as client:
            client.linger = 0
            client.connect(f"ipc://{path}")
            client.send_multipart([b"hsched/1 kill " + b"a" * 32, b'{"everything":true}'])
            if not client.poll(20_000):
                return "no answer"
            _, body = client.recv_multipart()
            return from_json(ErrorReply, body).text

    job = sched.submit("1", "sleep", "1000")
    assert f"belongs to uid 0, you are uid {NOBODY}" in as_nobody(ask)
    assert sched.job(job)["state"] in ("starting", "running")


def test_a_state_folder_of_another_user_is_not_used(shell: Shell) -> None:
    os.chown(shell.home, 0, 0)
    shell.state.mkdir(parents=True)
    theirs = shell.state / "default"
    theirs.mkdir()
    os.chown(theirs, NOBODY, NOBODY)
    done = shell.run("hstart", "2")
    assert done.returncode == 1
    assert f"belongs to uid {NOBODY}" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_state_folder_that_is_a_link_is_not_used(shell: Shell) -> None:
    shell.state.mkdir(parents=True)
    (shell.home / "elsewhere").mkdir(mode=0o700)
    (shell.state / "default").symlink_to(shell.home / "elsewhere")
    done = shell.run("hstart", "2")
    assert done.returncode == 1
    assert "symbolic link" in done.stderr


def test_a_socket_of_another_user_is_not_spoken_to(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        check_socket(str(path))
        os.chown(path, NOBODY, NOBODY)
        with pytest.raises(NotPermitted, match="not a socket of yours"):
            check_socket(str(path))
    path.unlink()
    path.write_text("no socket at all")
    with pytest.raises(NotPermitted, match="not a socket of yours"):
        check_socket(str(path))


def test_a_socket_folder_in_tmp_that_is_not_ours_is_not_used(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = shell.home / ("d" * 100)
    deep.mkdir()
    monkeypatch.setitem(shell.env, "HSCHED_HOME", str(deep))
    folder = Path(shell.env["TMPDIR"]) / f"hsched-{os.geteuid()}"
    folder.mkdir(mode=0o700)
    os.chown(folder, NOBODY, NOBODY)
    done = shell.run("hstart", "2")
    assert done.returncode == 1
    assert f"belongs to uid {NOBODY}" in done.stderr


def test_no_shell_sees_what_nobody_asked_a_shell_for(sched: Shell) -> None:
    job = sched.submit("1", "--out", "seen", "echo", "$(touch pwned)", "`touch pwned`", ";", "id")
    sched.wait(job)
    assert sched.written("seen") == "$(touch pwned) `touch pwned` ; id\n"
    assert not (sched.folder / "pwned").exists()
