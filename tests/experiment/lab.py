"""A user's scripts with experiments: each test writes one and runs it as a program."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.e2e.shell import DEADLINE_S, Shell

#: What every script begins with; `mark` notes in a file that a body has run.
PREAMBLE = """\
import os, sys, time
from pathlib import Path
from hsched.experiment import *
from hsched.experiment import experiment

HERE = Path(__file__).parent

def mark(word):
    with open(HERE / "marks", "a") as file:
        file.write(word + "\\n")

def until(look):
    deadline = time.monotonic() + 60
    while not look():
        assert time.monotonic() < deadline, "what the task waits for does not come"
        time.sleep(0.01)

"""


class Lab:
    """One folder with a script and a workspace; the scheduler is shared with other tests."""

    def __init__(self, shell: Shell, name: str) -> None:
        self.shell = shell
        self.folder = shell.home / name
        self.folder.mkdir()
        self.workspace = self.folder / "W"
        self._others: list[subprocess.Popen[str]] = []

    def script(self, text: str, name: str = "script.py") -> Path:
        """Write a script: the preamble, then ``text``."""
        path = self.folder / name
        path.write_text(PREAMBLE + textwrap.dedent(text))
        return path

    def run(self, text: str = "", *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a script to its end, whatever that is; without a text, the last one again."""
        path = self.script(text) if text else self.folder / "script.py"
        return self.shell.run(sys.executable, str(path), *words, cwd=self.folder, **options)

    def ok(self, text: str = "", *words: str, **options: Any) -> str:
        """Run a script that must succeed, and return what it printed."""
        done = self.run(text, *words, **options)
        assert done.returncode == 0, (
            f"{done.stdout}\n{done.stderr}\n{self.describe()}\n{self.shell.describe()}"
        )
        return done.stdout

    def start(self, text: str | Path = "", *words: str, **env: str) -> subprocess.Popen[str]:
        """Start a script, or a file as it is, and do not wait for it."""
        path = text if isinstance(text, Path) else self.folder / "script.py"
        if isinstance(text, str) and text:
            self.script(text)
        process = subprocess.Popen(
            [sys.executable, str(path), *words],
            cwd=self.folder,
            env={**self.shell.env, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._others.append(process)
        return process

    def end(self, process: subprocess.Popen[str]) -> tuple[int, str]:
        """Wait for the end of a script; return its exit status and what it said."""
        out, err = process.communicate(timeout=DEADLINE_S)
        return process.returncode, out + err

    def kill(self, process: subprocess.Popen[str], number: int = signal.SIGKILL) -> int:
        """Send a signal to a script and wait for its end; return its exit status."""
        process.send_signal(number)
        return self.end(process)[0]

    def marks(self) -> list[str]:
        """Return what task bodies have noted, in order."""
        try:
            return (self.folder / "marks").read_text().splitlines()
        except FileNotFoundError:
            return []

    def allow(self, word: str) -> None:
        """Make the file that a task's body waits for."""
        (self.folder / word).touch()

    def until_marked(self, *words: str) -> None:
        """Wait until all these marks are there."""
        self.until(lambda: set(words) <= set(self.marks()), f"there are marks {words}")

    def until(self, look: Callable[[], Any], what: str) -> Any:
        """Wait until ``look`` returns something true, and return that."""
        try:
            return self.shell.until(look, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.marks()}\n{self.describe()}") from None

    def tasks(self, name: str) -> list[Path]:
        """Return the folders of the tasks called ``name``."""
        return sorted(self.workspace.glob(f"jobs/*.{name}/*"))

    def task(self, name: str) -> Path:
        """Return the folder of the only task called ``name``."""
        (found,) = self.tasks(name)
        return found

    def status(self, experiment: str = "e") -> dict[str, Any]:
        """Return what ``status.json`` of the newest run says."""
        path = self.workspace / "experiments" / experiment / "current" / "status.json"
        return dict(json.loads(path.read_text()))

    def describe(self) -> str:
        """Return what the tasks have written, for the report of a failed test."""
        logs = [*self.workspace.glob("jobs/*/*/*.err"), *self.workspace.glob("jobs/*/*/*.failed")]
        return "\n".join(f"{log}:\n{log.read_text()}" for log in logs)

    def close(self) -> None:
        """End what was started here."""
        for process in self._others:
            if process.poll() is None:
                process.kill()
            process.communicate()
        if self.shell.run("hstatus").stdout:
            self.shell.run("hkill", "--all", "--grace", "0")
