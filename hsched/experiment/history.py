"""What a workspace knows of its experiments, read from its files alone.

Nothing here needs a driver or a scheduler: the folders of the tasks say how each stands.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from hsched.errors import Refused
from hsched.experiment import files, records, reporting
from hsched.experiment.endings import read_failed
from hsched.experiment.workspace import Workspace, is_workspace

#: The states of a task, in the order in which they are listed.
STATES = ("done", "running", "failed", "waiting")

#: A run whose driver is gone without having said so.
KILLED = "killed"


class Experiment(NamedTuple):
    """One experiment: its newest run, how that stands, and how many tasks are in which state."""

    name: str
    status: str
    run: str
    runs: int
    started_at: float | None
    ended_at: float | None
    tasks: dict[str, int]


class TaskView(NamedTuple):
    """One task of a run; ``progress`` is 0 to 1, None where it never said."""

    name: str
    kind: str
    id: str
    state: str
    reason: str | None
    progress: float | None
    doing: str | None
    tags: dict[str, Any]
    folder: str


class History:
    """The experiments of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        """Look into a workspace.

        Raises:
            Refused: there is none.
        """
        if not is_workspace(workspace.path):
            raise Refused(f"{workspace.path} is no workspace; name one with --workspace")
        self._workspace = workspace

    def experiments(self) -> list[Experiment]:
        """Return all experiments, the one last started first."""
        found = [self._experiment(home) for home in self._homes()]
        return sorted(
            (one for one in found if one is not None), key=lambda one: -(one.started_at or 0.0)
        )

    def tasks(self, name: str, run: str | None = None) -> list[TaskView]:
        """Return the tasks of a run, by default the newest, in the order of their submission.

        Raises:
            Refused: there is no such experiment or run.
        """
        return [self._task(one) for one in records.tasks_of(self._run(name, run))]

    def unused(self, forget: Iterable[str] = ()) -> list[Path]:
        """Return folders of tasks, not running, that no experiment but those in ``forget`` names.

        With it come the folders of the experiments to forget.

        Raises:
            Refused: there is no such experiment, or it is going on.
        """
        forgotten = set(forget)
        homes = [self._home(name) for name in sorted(forgotten)]
        for home in homes:
            if _is_locked(home / "lock"):
                raise Refused(f"experiment {home.name} is going on")
        used = {
            (task["task_id"], task["job_id"])
            for home in self._homes()
            if home.name not in forgotten
            for run in records.runs_of(home)
            for task in records.tasks_of(run)
        }
        tasks = sorted(self._workspace.jobspath.glob("*/*"))
        loose = [one for one in tasks if (one.parent.name, one.name) not in used]
        return homes + [one for one in loose if not _is_running(one)]

    def _homes(self) -> list[Path]:
        return sorted(one for one in self._workspace.experiments.iterdir() if one.is_dir())

    def _home(self, name: str) -> Path:
        home = self._workspace.experiments / name
        if home not in self._homes():
            known = ", ".join(one.name for one in self._homes()) or "none"
            raise Refused(f"no experiment {name} in {self._workspace.path}; there are: {known}")
        return home

    def _run(self, name: str, run: str | None) -> Path:
        runs = records.runs_of(self._home(name))
        for found in reversed(runs):
            if run is None or found.name == run:
                return found
        known = ", ".join(one.name for one in runs) or "none"
        raise Refused(f"no run {run} of experiment {name}; there are: {known}")

    def _experiment(self, home: Path) -> Experiment | None:
        runs = records.runs_of(home)
        if not runs:
            return None
        said = records.status_of(runs[-1])
        status = str(said.get("status", KILLED))
        if status == records.RUNNING and not _is_locked(home / "lock"):
            status = KILLED
        counts = Counter(self._task(one).state for one in records.tasks_of(runs[-1]))
        return Experiment(
            name=home.name,
            status=status,
            run=runs[-1].name,
            runs=len(runs),
            started_at=said.get("started_at"),
            ended_at=said.get("ended_at"),
            tasks={state: counts[state] for state in STATES},
        )

    def _task(self, line: dict[str, Any]) -> TaskView:
        kind, identifier = str(line["task_id"]), str(line["job_id"])
        folder = self._workspace.task_folder(kind, identifier)
        name = kind.rpartition(".")[2]
        state, reason = state_of_folder(folder)
        far = reporting.read(folder)
        return TaskView(
            name=name,
            kind=kind,
            id=identifier,
            state=state,
            reason=reason,
            progress=far[0] if far else None,
            doing=(far[1] or None) if far else None,
            tags=line.get("tags") or {},
            folder=str(folder),
        )


def state_of_folder(folder: Path) -> tuple[str, str | None]:
    """Return how the task in a folder stands, and why where it failed."""
    stem = folder / folder.parent.name.rpartition(".")[2]
    if os.path.exists(f"{stem}.done"):
        return "done", None
    if _is_locked(Path(f"{stem}.lock")):
        return "running", None
    failure = read_failed(f"{stem}.failed")
    return ("waiting", None) if failure is None else ("failed", failure.reason)


def remove(folders: Iterable[Path]) -> None:
    """Remove folders, and those of types of tasks that are empty then.

    Raises:
        OSError: one cannot be removed; those before it are gone.
    """
    for folder in folders:
        shutil.rmtree(folder)
        if not any(folder.parent.iterdir()) and folder.parent.parent.name == "jobs":
            folder.parent.rmdir()


def _is_running(folder: Path) -> bool:
    return state_of_folder(folder)[0] == "running"


def _is_locked(path: Path) -> bool:
    if not path.exists():
        return False
    lock = files.Lock(path)
    try:
        is_free = lock.try_acquire()
    except PermissionError:
        return False  # somebody else's workspace; whether they are at work is not told
    lock.release()
    return not is_free
