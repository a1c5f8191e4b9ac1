"""What is kept of each run of an experiment: ``experiments/NAME/RUN/``.

``status.json`` says how the run stands, ``jobs.jsonl`` has a line for each of its tasks,
``environment.json`` says what it ran with, and ``results/`` is the user's.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import time
from collections import Counter
from pathlib import Path
from typing import IO, Any

from hsched import __version__
from hsched.errors import WrongUsage
from hsched.experiment import files
from hsched.experiment.jobs import Job
from hsched.experiment.workspace import Workspace

RUNNING, DONE, FAILED = "running", "done", "failed"
INTERRUPTED, DETACHED = "interrupted", "detached"


class Run:
    """One run of an experiment, from its lock to its last status."""

    def __init__(self, workspace: Workspace, name: str) -> None:
        """Begin a run, after waiting for one of the same name that is still going on.

        Raises:
            WrongUsage: the name cannot be that of a folder.
        """
        check_name(name)
        self._home = workspace.experiments / name
        self._name = name
        self._home.mkdir(parents=True, exist_ok=True)
        self._lock = files.Lock(self._home / "lock")
        if not self._lock.try_acquire():
            print(
                f"hsched: experiment {name} is going on in another process; waiting for its end",
                file=sys.stderr,
            )
            self._lock.acquire()
        self.started = time.time()
        self.folder = self._new_folder()
        self._status: dict[str, Any] = {}
        self._jobs: IO[str] = open(  # noqa: SIM115 # as long as the run
            self.folder / "jobs.jsonl", "a", encoding="utf-8"
        )
        self._prune(workspace.settings.keep_done, workspace.settings.keep_failed)
        files.write_whole(self.folder / "environment.json", json.dumps(_environment()) + "\n")
        self.write(RUNNING, Counter())
        _link(self._home / "current", self.folder.name)

    def note(self, job: Job) -> None:
        """Write down that a task belongs to this run."""
        value = {
            "task_id": job.kind,
            "job_id": job.identifier,
            "tags": {name: _plain(tag) for name, tag in job.tags.items()},
            "timestamp": time.time(),
        }
        self._jobs.write(json.dumps(value) + "\n")
        self._jobs.flush()

    def write(self, status: str, counts: Counter[str]) -> None:
        """Write how the run stands; ``counts`` is how many tasks are in which state."""
        self._status = {
            "version": 1,
            "experiment": self._name,
            "run": self.folder.name,
            "status": status,
            "host": os.uname().nodename,
            "pid": os.getpid(),
            "started_at": self.started,
            "ended_at": None if status == RUNNING else time.time(),
            "jobs": dict(counts),
        }
        files.write_whole(self.folder / "status.json", json.dumps(self._status) + "\n")

    def end(self, status: str, counts: Counter[str]) -> None:
        """Write the last status, and let the next run of this name begin."""
        self._jobs.close()
        self.write(status, counts)
        self._lock.release()

    def _new_folder(self) -> Path:
        stem = time.strftime("%Y%m%d_%H%M%S", time.localtime(self.started))
        number, folder = 1, self._home / stem
        while True:
            try:
                folder.mkdir()
                (folder / "results").mkdir()
                return folder
            except FileExistsError:
                number += 1
                folder = self._home / f"{stem}.{number}"

    def _prune(self, keep_done: int, keep_failed: int) -> None:
        """Remove old runs that left no results; the newest of each kind stay."""
        left = {True: keep_done, False: keep_failed}
        for folder in reversed(runs_of(self._home)):
            if folder == self.folder:
                continue
            is_done = status_of(folder).get("status") == DONE
            left[is_done] -= 1
            if left[is_done] < 0 and not _has_results(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _has_results(run: Path) -> bool:
    try:
        return any((run / "results").iterdir())
    except OSError:
        return False


def check_name(name: str) -> None:
    """Check what an experiment is called.

    Raises:
        WrongUsage: it cannot be the name of a folder.
    """
    is_plain = bool(name) and not name.startswith(".") and len(os.fsencode(name)) <= 200
    if not is_plain or any(c == "/" or ord(c) < 32 for c in name):
        raise WrongUsage(f"experiment name {name!r}: 1 to 200 bytes, no slash, no leading dot")


def runs_of(home: Path) -> list[Path]:
    """Return the folders of the runs of an experiment, oldest first."""
    try:
        found = [entry for entry in home.iterdir() if (entry / "status.json").exists()]
    except OSError:
        return []
    return sorted((one for one in found if not one.is_symlink()), key=_age)


def status_of(run: Path) -> dict[str, Any]:
    """Return what ``status.json`` of a run says, nothing where there is none."""
    try:
        found = json.loads(files.read_text(run / "status.json") or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def tasks_of(run: Path) -> list[dict[str, Any]]:
    """Return the tasks of a run, in the order of their submission, each once."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for line in files.whole_lines(run / "jobs.jsonl")[0]:
        try:
            value = json.loads(line)
            found[value["task_id"], value["job_id"]] = value
        except (ValueError, KeyError, TypeError):
            continue
    return list(found.values())


def _age(run: Path) -> tuple[str, int]:
    stem, _, number = run.name.partition(".")
    return stem, int(number) if number.isdecimal() else 1


def _link(link: Path, target: str) -> None:
    beside = link.with_name(f"{link.name}.{os.getpid()}.tmp")
    beside.unlink(missing_ok=True)
    beside.symlink_to(target)
    beside.replace(link)


def _environment() -> dict[str, Any]:
    return {
        "hsched": __version__,
        "python": platform.python_version(),
        "executable": sys.executable,
        "host": os.uname().nodename,
        "cwd": os.getcwd(),
        "argv": sys.argv,
    }


def _plain(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
