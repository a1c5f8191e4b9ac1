"""Where a warm process cannot do it, the command is plain Python."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.shell import DEADLINE_S, is_alive
from tests.security.test_other_users import as_nobody
from tests.thin.conftest import BUILD, Installation, Terminal


def is_plain(terminal: Terminal, line: str) -> bool:
    """Run a shell line with one command, which must succeed; return whether it was plain."""
    terminal.plain_commands()
    terminal.sh(line)
    return bool(terminal.plain_commands())


@pytest.mark.parametrize(
    "line",
    [
        "HSCHED_THIN=0 hnslots",
        "PYTHONPATH= hnslots",
        "PYTHONUNBUFFERED=1 hnslots",
        "LD_PRELOAD= hnslots",
        "LC_ALL=C hnslots",
        "hsubmit 0 test -e /dev/fd/0",
        "hsubmit 0 test -e /proc/self/exe",
        "hnslots <&-",
        "hnslots >&-",
        "ln -s $(command -v hnslots) other && exec -a x ./other",
    ],
)
def test_these_are_plain(warm: Terminal, line: str) -> None:
    shell = line.replace("exec -a", "bash -c 'exec -a").replace("./other", "./other'")
    assert is_plain(warm, shell)


def test_these_are_not(warm: Terminal) -> None:
    assert not is_plain(warm, "hnslots")
    assert not is_plain(warm, "HSCHED_THIN=1 LD_LIBRARY_PATH=/x hnslots")
    assert not is_plain(warm, "ln -sf $(command -v hnslots) $HOME/hnslots && $HOME/hnslots")


def test_a_process_substitution_is_read(warm: Terminal) -> None:
    line = "hsubmit --hold 0 --each <(printf 'true\\nfalse\\n')"
    assert len(warm.ok("/bin/bash", "-c", line).split()) == 2


def test_a_limit_above_that_of_the_warm_process_is_kept(terminal: Terminal) -> None:
    terminal.sh("HSCHED_THIN=0 hstart 1; (ulimit -n 500; hstart 1) || :")
    terminal.until(lambda: terminal.warm_pid(), "there is a warm process")
    seen = terminal.sh("id=$(hsubmit 0 --out seen 'ulimit -n'); ulimit -n >mine; cat mine")
    assert terminal.written("seen") == f"{seen}\n"


def test_other_groups_are_plain(warm: Terminal) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can change groups")
    warm.plain_commands()
    done = subprocess.run(
        [warm.installation.bin / "hnslots"],
        env=warm.env,
        cwd=warm.folder,
        extra_groups=[12345],
        capture_output=True,
    )
    assert done.returncode == 0
    assert warm.plain_commands()


def test_another_namespace_is_plain(warm: Terminal) -> None:
    if subprocess.run(["unshare", "--ipc", "true"], capture_output=True).returncode != 0:
        pytest.skip("namespaces need a capability")
    assert is_plain(warm, "unshare --ipc hnslots")


def test_in_the_background_of_a_terminal_it_is_plain(warm: Terminal) -> None:
    warm.plain_commands()
    inner = "set -m; hnslots & wait"
    warm.ok("script", "-qec", f"bash -c '{inner}'", "/dev/null")
    assert warm.plain_commands()


def test_without_a_sibling_it_says_what_to_do(terminal: Terminal, program: Path) -> None:
    alone = terminal.home / "hjobs"
    shutil.copy(program, alone)
    done = terminal.run(alone)
    expected = f"hjobs: cannot run {terminal.home}/hsched-python; install hsched again\n"
    assert (done.returncode, done.stderr) == (127, expected)


def test_a_warm_process_killed_in_between_is_not_missed(terminal: Terminal) -> None:
    terminal.start("1")
    os.kill(terminal.warm_pid(), signal.SIGKILL)
    terminal.until(lambda: not terminal.warm_pid(), "it is gone")
    assert is_plain(terminal, "hnslots")
    assert terminal.run("hstart", "1").returncode == 1  # it runs; only the warm process is new
    terminal.until(terminal.is_warm, "a new one answers")


def test_a_command_outlives_its_warm_process(terminal: Terminal) -> None:
    terminal.start("1")
    os.mkfifo(terminal.folder / "lines")
    process = subprocess.Popen(
        ["hsubmit", "0", "--each", "lines"],
        cwd=terminal.folder,
        env=terminal.env,
        stdout=subprocess.PIPE,
    )
    terminal.until(terminal.children, "the command runs")
    os.kill(terminal.warm_pid(), signal.SIGKILL)
    (terminal.folder / "lines").write_text("true\n")
    assert process.communicate()[0] == b"1\n"
    assert process.returncode == 0


def test_a_warm_process_that_hangs_is_done_without(terminal: Terminal) -> None:
    terminal.start("1")
    pid = terminal.warm_pid()
    os.kill(pid, signal.SIGSTOP)
    assert terminal.submit("--hold", "0", "true") == "1"
    os.kill(pid, signal.SIGCONT)
    terminal.until(terminal.is_warm, "it goes on")
    assert len(terminal.jobs()) == 1, "the request that it finds now is not done again"


def test_it_leaves_with_the_last_scheduler(terminal: Terminal) -> None:
    terminal.start("1")
    terminal.ok("hstart", "-n", "other", "1")
    pid = terminal.warm_pid()
    terminal.ok("hstop")
    assert not is_plain(terminal, "hnslots -n other")
    terminal.ok("hstop", "-n", "other")
    terminal.until(lambda: not is_alive(pid), "the warm process leaves")


def test_a_scheduler_in_the_foreground_has_one_as_well(terminal: Terminal) -> None:
    broker = subprocess.Popen(
        ["hstart", "--foreground", "1"], env=terminal.env, cwd=terminal.folder
    )
    terminal.until(terminal.warm_pid, "there is a warm process")
    terminal.until(lambda: terminal.run("hnslots").returncode == 0, "the scheduler answers")
    terminal.until(terminal.is_warm, "the warm process answers")
    pid = terminal.warm_pid()
    terminal.ok("hstop")
    assert broker.wait(DEADLINE_S) == 0
    terminal.until(lambda: not is_alive(pid), "the warm process leaves")


def test_stop_and_start_in_one_breath_leave_one(terminal: Terminal) -> None:
    terminal.start("1")
    for _ in range(3):
        terminal.sh("hstop >/dev/null; hstart 1 >/dev/null")
    terminal.until(terminal.is_warm, "there is one")


def test_it_leaves_before_an_upgrade_can_be_noticed(tmp_path: Path, program: Path) -> None:
    terminal = Terminal(Installation(tmp_path, program))
    try:
        terminal.start("1")
        pid = terminal.warm_pid()
        source = terminal.installation.lib / "hsched/cli/hnslots.py"
        upgraded = source.read_text().replace("def command(", "print('upgraded')\n\ndef command(")
        source.write_text(
            f"print('upgraded')\n{upgraded}".replace("\nfrom __future__", "\nfrom __future__")
        )
        source.write_text(source.read_text().removeprefix("print('upgraded')\n"))
        terminal.run("hnslots")
        terminal.until(lambda: not is_alive(pid), "the old one leaves")
        (terminal.installation.lib / "hsched/native/build-id").write_text("another-build-0")
        terminal.run("hstart", "1")
        assert is_plain(terminal, "hstatus"), "the client is of the build before"
    finally:
        terminal.close()


def test_nobody_else_is_served(warm: Terminal) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    path = warm.warm_folder / BUILD
    opened = [*list(path.parents)[:-2], path]
    modes = [(one, one.stat().st_mode) for one in opened]
    for one in opened:
        one.chmod(0o777)

    def connect() -> str:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20)
            client.connect(str(path))
            return repr(client.recv(1))

    try:
        assert as_nobody(connect) == "b''"
        assert is_plain(warm, "hnslots"), "a folder that others may write is not trusted"
    finally:
        for one, mode in modes:
            one.chmod(mode)
    assert not is_plain(warm, "hnslots")


def test_idle_it_does_not_wake(warm: Terminal) -> None:
    status = Path(f"/proc/{warm.warm_pid()}/status")

    def switches() -> list[str]:
        return [line for line in status.read_text().splitlines() if "voluntary" in line]

    warm.until(lambda: not warm.children(), "all commands are gone")
    before = switches()
    warm.ok("hstop", "--help")  # some time, and a process that is no thin client
    assert switches() == before


Damage = Callable[[bytes], bytes]


@pytest.mark.parametrize(
    "damage",
    [lambda _: b"", lambda _: b"x" * 5000, lambda _: b"hthin/1\0" + b"\xff" * 500],
    ids=["nothing", "noise", "sizes"],
)
def test_noise_on_its_socket_harms_nobody(warm: Terminal, damage: Damage) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(warm.warm_folder / BUILD))
        client.sendall(damage(b""))
        client.shutdown(socket.SHUT_WR)
        client.recv(8)
    assert not is_plain(warm, "hnslots")
