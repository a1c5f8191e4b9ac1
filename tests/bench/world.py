"""A HOME for one benchmark, its schedulers, and the programs that they run.

Whatever happens, Ctrl-C included, nothing of it is left when the block ends.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hsched.client import Client
from hsched.wire.submit import JobSpec
from tests.bench.attic import put_away
from tests.e2e.shell import Shell

_STAMP = Path(__file__).with_name("stamp.c")
#: The same for machines without a compiler; it takes longer to start, for everybody.
_STAMP_SCRIPT = """#!/bin/bash
begin=$EPOCHREALTIME
[ "$2" = 0 ] || sleep "$(printf '0.%03d' "$2")"
echo "${begin/./} ${EPOCHREALTIME/./}" >> "$1"
"""

#: What takes longer than this hangs.
_PATIENCE_S = 900.0

#: More jobs than this are submitted in several batches, as a user would.
_BATCH = 10_000


class World:
    """One user's machine.  ``stamp FILE MS`` notes its start, sleeps, and notes its end (us)."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        # Else each command would compile itself again where the sources are newer.
        del shell.env["PYTHONDONTWRITEBYTECODE"]
        shell.env["HSCHED_HOME"] = str(shell.home / "state")
        self.stamp = str(_make_stamp(shell.home))
        self._gates = 0

    def ok(self, *argv: str, **options: Any) -> str:
        """Run a command that must succeed, however long it takes, and return its output."""
        return self.shell.ok(*argv, timeout=_PATIENCE_S, **options)

    def start(self, spec: str, name: str = "default", *options: str) -> None:
        """Start a scheduler."""
        self.ok("hstart", "--name", name, *options, spec)

    def stop(self, name: str = "default") -> None:
        """End a scheduler, with its jobs cancelled, and put away all that it has kept."""
        self.ok("hstop", "--name", name, "--force", "--grace", "0")
        put_away(self.folder(name))

    def folder(self, name: str = "default") -> Path:
        """Return the folder of a scheduler."""
        return Path(self.shell.env["HSCHED_HOME"]) / os.uname().nodename / name

    def broker_pid(self, name: str = "default") -> int:
        """Return the pid of a live broker."""
        return int((self.folder(name) / "address").read_text().split("\n")[1])

    def gate(self) -> Gate:
        """Return a new gate, closed."""
        self._gates += 1
        return Gate(self.shell.home / f"gate-{self._gates}")

    def times_of(self, file: Path) -> list[tuple[float, float]]:
        """Return what ``stamp`` has noted: starts and ends in seconds, in order."""
        lines = file.read_text().splitlines() if file.exists() else []
        pairs = (line.split() for line in lines)
        return sorted((int(begin) / 1e6, int(end) / 1e6) for begin, end in pairs)

    def file(self, name: str) -> Path:
        """Return the path of a file in the working folder, which is not there yet."""
        path = self.shell.folder / name
        path.unlink(missing_ok=True)
        return path


class Gate:
    """What keeps a job running: ``argv`` ends once the gate was opened."""

    def __init__(self, path: Path) -> None:
        self._path = path
        os.mkfifo(path)
        self.argv = ("/bin/sh", "-c", f"read x <{path}")

    def open(self) -> None:
        """Let the job end; returns when it reads, so after it was started."""
        self._path.write_text("go\n")


@contextmanager
def world() -> Iterator[World]:
    """Yield a world; end every process of it and put it away afterwards."""
    shell = Shell()
    before = os.environ.get("HSCHED_HOME")
    try:
        made = World(shell)
        os.environ["HSCHED_HOME"] = shell.env["HSCHED_HOME"]
        yield made
    finally:
        if before is None:
            os.environ.pop("HSCHED_HOME", None)
        else:
            os.environ["HSCHED_HOME"] = before
        shell.end_processes()
        put_away(shell.home)


def submit(client: Client, specs: Sequence[JobSpec]) -> list[str]:
    """Submit jobs, many in a message; return their ids."""
    ids: list[str] = []
    for first in range(0, len(specs), _BATCH):
        ids += [job.id for job in client.submit_batch(specs[first : first + _BATCH])]
    return ids


def wait(client: Client, ids: Sequence[str]) -> None:
    """Wait until jobs are done."""
    if not client.wait(ids, timeout=_PATIENCE_S):
        raise TimeoutError(f"jobs {ids[0]} to {ids[-1]} are not done after {_PATIENCE_S:g} s")


def resident_bytes(pid: int) -> int:
    """Return how much memory a process takes now."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Rss:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"/proc/{pid}/smaps_rollup tells no size")


def _make_stamp(folder: Path) -> Path:
    path = folder / "stamp"
    compiler = shutil.which("cc")
    if compiler is not None:
        for options in (["-static"], []):
            command = [compiler, "-O2", *options, "-o", str(path), str(_STAMP)]
            if not subprocess.run(command, capture_output=True, check=False).returncode:
                return path
    print("bench: no compiler; jobs note their times by a slower shell script", file=sys.stderr)
    path.write_text(_STAMP_SCRIPT)
    path.chmod(0o755)
    return path


def count_succeeded(world: World, name: str = "default") -> int:
    """Return how many jobs of a scheduler have run and ended well, by its own record."""
    listed = json.loads(world.ok("hjobs", "--name", name, "done", "--json"))
    return sum(job["outcome"] == "succeeded" for job in listed)
