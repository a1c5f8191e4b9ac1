"""A stranger's terminal: real commands, a HOME of its own, and nothing left behind."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: Nothing here takes long; what takes longer than this is stuck.
DEADLINE_S = 60.0

BIN = Path(sys.executable).parent


class Shell:
    """Runs commands as a user would who has just logged in."""

    def __init__(self) -> None:
        # Short, because the path of a socket is limited.
        self.home = Path(tempfile.mkdtemp(prefix="h", dir="/tmp"))
        self.folder = self.home / "work"
        self.folder.mkdir()
        kept = {k: v for k, v in os.environ.items() if k in ("LANG", "TERM", "HSCHED_SHIM")}
        self.env = {
            **kept,
            "HOME": str(self.home),
            "TMPDIR": str(self.home),
            "PATH": f"{BIN}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def run(
        self, *argv: str | bytes | os.PathLike[str], check: bool = False, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a command and return what it printed; ``check`` fails the test on failure."""
        settings: dict[str, Any] = {
            "cwd": self.folder,
            "env": self.env,
            "stdin": subprocess.DEVNULL,
            "capture_output": True,
            "text": True,
            "errors": "surrogateescape",
            "timeout": DEADLINE_S,
        }
        if "env" in options:
            options["env"] = {**self.env, **options["env"]}
        if "input" in options:
            del settings["stdin"]
        done = subprocess.run(argv, check=False, **{**settings, **options})
        if check:
            assert done.returncode == 0, f"{argv}: {done}"
        return done

    def ok(self, *argv: str | bytes | os.PathLike[str], **options: Any) -> str:
        """Run a command that must succeed, and return its output without the last newline."""
        return str(self.run(*argv, check=True, **options).stdout).rstrip("\n")

    def sh(self, line: str, **options: Any) -> str:
        """Run a shell line that must succeed, and return its output."""
        return self.ok("/bin/sh", "-ec", line, **options)

    def submit(self, *words: str, **options: Any) -> str:
        """Submit a job and return its id."""
        return self.ok("hsubmit", *words, **options)

    def job(self, identity: str) -> dict[str, Any]:
        """Return one job, live or done, as ``--json`` has it."""
        found = json.loads(self.ok("hjobs", identity, "--all", "--json"))
        assert len(found) == 1, found
        return dict(found[0])

    def jobs(self, *words: str) -> list[dict[str, Any]]:
        """Return what ``hjobs --json`` lists."""
        return list(json.loads(self.ok("hjobs", "--json", *words)))

    def wait(self, identity: str) -> dict[str, Any]:
        """Wait until a job is done and return it."""
        found: dict[str, Any] = self.until(lambda: self._done(identity), f"job {identity} is done")
        return found

    def until(self, look: Callable[[], Any], what: str) -> Any:
        """Wait until ``look`` returns something true, and return that."""
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            if found := look():
                return found
            time.sleep(0.02)
        raise AssertionError(f"not within {DEADLINE_S:g} s: {what}\n{self.describe()}")

    def written(self, path: Path | str) -> str:
        """Wait until a file of the working folder holds whole lines, and return its text."""
        file = self.folder / path
        return str(self.until(lambda: _whole_lines(file), f"{file} is written"))

    @property
    def state(self) -> Path:
        """The folder of this user's schedulers on this host."""
        return self.home / ".local/state/hsched" / os.uname().nodename

    def broker_pid(self, name: str = "default") -> int:
        """Return the pid of a live broker."""
        return int((self.state / name / "address").read_text().split("\n")[1])

    def kill_broker(self, name: str = "default") -> None:
        """Kill a broker as a crash would, and wait until it is gone."""
        pid = self.broker_pid(name)
        os.kill(pid, signal.SIGKILL)
        self.until(lambda: not is_alive(pid), f"broker {pid} is gone")

    def describe(self) -> str:
        """Return all there is to know, for the report of a failed test."""
        parts = [self.run("hjobs", "--all").stdout, self.run("hstatus").stdout]
        parts += [f"{log}:\n{log.read_text()}" for log in self.state.glob("*/broker.log")]
        parts += [f"{pid}: {_command_line(pid)}" for pid in self.processes()]
        return "\n".join(parts)

    def processes(self) -> list[int]:
        """Return the live processes that have anything to do with this HOME."""
        mark = os.fsencode(self.home)
        return [pid for pid in _all_pids() if pid != os.getpid() and _mentions(pid, mark)]

    def pids(self, pattern: str) -> list[int]:
        """Return those of them whose command line matches, and none of another test's."""
        found = re.compile(pattern)
        return [pid for pid in self.processes() if found.search(_command_line(pid).rstrip())]

    def pid(self, pattern: str) -> int:
        """Return the only one that matches."""
        (found,) = self.pids(pattern)
        return found

    def close(self) -> None:
        """End every process of this HOME, and remove it."""
        self.end_processes()
        shutil.rmtree(self.home, ignore_errors=True)

    def end_processes(self) -> None:
        """Kill every process of this HOME, and return when they are gone."""
        while left := self.processes():
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.005)

    def _done(self, identity: str) -> dict[str, Any] | None:
        found = self.job(identity)
        return found if found["state"] == "done" else None


def state_of(pid: int) -> str:
    """Return the state of a process: S sleeps, T is stopped, Z waits to be reaped."""
    return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0]


def is_alive(pid: int) -> bool:
    """Return whether a process runs; one that only waits to be reaped does not.

    Where its first thread has ended others may go on, and with them its sockets.
    """
    try:
        state = state_of(pid)
        threads = len(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return False
    return state not in "ZX" or threads > 1


def _whole_lines(file: Path) -> str | None:
    try:
        text = file.read_text(errors="surrogateescape")
    except FileNotFoundError:
        return None
    return text if text.endswith("\n") else None


def _all_pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _mentions(pid: int, mark: bytes) -> bool:
    """Whether the environment, folder or an open file of a process names ``mark``."""
    if not is_alive(pid):
        return False
    try:
        if mark in Path(f"/proc/{pid}/environ").read_bytes():
            return True
        links = [
            f"/proc/{pid}/cwd",
            *(f"/proc/{pid}/fd/{n}" for n in os.listdir(f"/proc/{pid}/fd")),
        ]
        return any(mark in os.fsencode(os.readlink(link)) for link in links)
    except OSError:
        return False


def _command_line(pid: int) -> str:
    try:
        return (
            Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        )
    except OSError:
        return "gone"
