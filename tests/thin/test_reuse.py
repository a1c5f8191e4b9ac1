"""One worker is one command after the other, and nothing of one is left for the next."""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import socket
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hsched.warm import request
from tests.thin.conftest import BUILD, Terminal, title


def workers(terminal: Terminal) -> list[int]:
    """Return the forks of the warm process, oldest first."""
    pid = terminal.warm_pid()
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def spare(terminal: Terminal) -> int:
    """Return the one worker that waits, once the others are gone."""

    def waits() -> int:
        pids = workers(terminal)
        return pids[0] if len(pids) == 1 and title(str(pids[0])) == "hsched-spare" else 0

    return int(terminal.until(waits, "one worker is left, and waits"))


@pytest.fixture
def used(warm: Terminal) -> int:
    """The worker, which has been a command already."""
    warm.ok("hnslots")
    return spare(warm)


@pytest.fixture(autouse=True)
def none_plain(warm: Terminal) -> Iterator[None]:
    warm.plain_commands()
    yield
    assert warm.plain_commands() == [], "these tests are about the warm process"


def test_a_command_that_succeeds_leaves_its_worker(warm: Terminal, used: int) -> None:
    for line in (
        "hnslots",
        "hstatus",
        "hjobs --all --json",
        "hsubmit --hold 0 true",
        "hkill --all",
    ):
        warm.sh(line)
        assert spare(warm) == used


def test_a_command_that_fails_takes_its_worker_with_it(warm: Terminal, used: int) -> None:
    assert warm.run("hjobs", "99").returncode == 1
    assert spare(warm) != used
    assert warm.ok("hnslots") == "2"


@pytest.mark.parametrize(
    "line",
    [
        "umask 027; hnslots",
        "MARK=1 hnslots",
        "TZ=Asia/Tokyo hjobs --all --json",
        "(ulimit -S -n 77; hnslots)",
        "(trap '' INT HUP TERM; hnslots)",
        "cd /tmp; hnslots",
        "hnslots </etc/passwd",
    ],
)
def test_nothing_of_a_command_stays_in_its_worker(warm: Terminal, used: int, line: str) -> None:
    before = looks(used)
    warm.sh(line)
    assert spare(warm) == used
    assert looks(used) == before


def looks(pid: int) -> dict[str, object]:
    """Return what the kernel tells of a process, as far as it stays the same when it waits."""
    folder = Path(f"/proc/{pid}")
    status = dict(one.split(":", 1) for one in (folder / "status").read_text().splitlines())
    found: dict[str, object] = {
        name: status[name].strip()
        for name in ("Name", "Umask", "SigBlk", "SigIgn", "SigCgt", "Threads", "FDSize")
    }
    found["cwd"] = (folder / "cwd").readlink()
    found["limits"] = (folder / "limits").read_text()
    found["files"] = {
        one.name: str(one.readlink()).split(":")[0] for one in (folder / "fd").iterdir()
    }
    return found


def test_the_next_command_has_an_environment_of_its_own(warm: Terminal, used: int) -> None:
    show = "--out seen sh -c 'echo ${MARK-none}; umask; pwd; ulimit -S -n; date +%Z'"
    line = f"id=$(hsubmit 0 {show}); while hjobs $id >/dev/null 2>&1; do :; done; cat seen"
    plain = warm.sh(line)
    warm.plain_commands()
    first = "mkdir -p other; (cd other; umask 077; ulimit -S -n 99; MARK=1 TZ=Asia/Tokyo hnslots)"
    warm.sh(first)
    assert warm.sh(line) == plain


def test_the_table_of_a_terminal_does_not_reach_a_pipe(warm: Terminal, used: int) -> None:
    warm.submit("--hold", "0", "true")
    plain = warm.ok("hjobs")
    warm.ok("script", "-qec", "env TERM=xterm-256color hjobs", "/dev/null")
    assert spare(warm) == used
    assert warm.ok("hjobs") == plain
    warm.ok("hkill", "--all")


def test_a_hard_limit_that_went_down_is_not_that_of_the_next(warm: Terminal, used: int) -> None:
    warm.sh("(ulimit -n 77; hnslots)")
    limits = Path(f"/proc/{spare(warm)}/limits").read_text()
    assert limits == Path(f"/proc/{warm.warm_pid()}/limits").read_text()


def test_processor_time_is_that_of_one_command(warm: Terminal, used: int) -> None:
    warm.sh("(ulimit -t 1000; hnslots)")
    assert warm.plain_commands() == ["hnslots"], "the worker has used up some of it"
    assert spare(warm) == used


def test_a_worker_waits_for_its_client_to_be_gone(warm: Terminal, used: int) -> None:
    """Until then the client may pass on a signal, which must not meet another command."""
    with socket.socket(socket.AF_UNIX) as client:
        assert ask(warm, client) == (request.STATUS, 0)
        assert warm.ok("hnslots") == "2"
        assert used in workers(warm)
        os.kill(used, signal.SIGTERM)
        assert warm.ok("hnslots") == "2"
    assert spare(warm) != used


def test_what_the_kernel_tells_late_of_a_word_ends_no_command(warm: Terminal, used: int) -> None:
    """It tells of data after it has woken up who reads them, and these may be read by then."""
    with socket.socket(socket.AF_UNIX) as client:
        assert ask(warm, client, meanwhile=b"more") == (request.STATUS, 0)
    assert used in workers(warm)


def ask(warm: Terminal, client: socket.socket, meanwhile: bytes = b"") -> tuple[int, int]:
    """Be a thin hnslots, and return how it ended without hanging up.

    What is to be sent ``meanwhile`` is sent again and again.
    """
    done = subprocess.run(["env"], env=warm.env, capture_output=True, check=True)
    words = b"".join(word + b"\0" for word in [b"hnslots", *done.stdout.splitlines()])
    spaces = request.spaces()
    limits = [
        value % (1 << 64)  # -1 is none
        for number in range(request.LIMITS)
        for value in resource.prlimit(warm.warm_pid(), number)
    ]
    head = struct.pack(
        f"=8s16sIIIIQQ{len(spaces)}Q{len(limits)}Q",
        request.MAGIC,
        BUILD.encode(),
        len(words),
        1,
        words.count(b"\0") - 1,
        0o22,
        0,
        0,
        *spaces,
        *limits,
    )
    client.connect(str(warm.warm_folder / BUILD))
    client.sendall(head + words)
    ready, given, _, _ = socket.recv_fds(client, 8, 1)
    assert struct.unpack("=ii", ready)[0] == request.READY
    with open(os.devnull, "r+b") as null:
        here = os.open(".", os.O_PATH)
        life, ours = os.pipe()
        socket.send_fds(client, [b"\0"], [null.fileno()] * 3 + [here, life])
    for one in (*given, here, life):
        os.close(one)
    with contextlib.suppress(ConnectionError):  # it does not wait for us to end
        while meanwhile and not select.select([client], [], [], 0.0001)[0]:
            client.send(meanwhile)
    kind, value = struct.unpack("=ii", client.recv(8, socket.MSG_WAITALL))
    os.close(ours)
    return kind, value
