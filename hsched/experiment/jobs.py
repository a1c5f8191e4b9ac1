"""A task as the driver sees it: its folder, its state, and the job that it is."""

from __future__ import annotations

import sys
from collections import ChainMap
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hsched.experiment.endings import Failure, read_failed

if TYPE_CHECKING:
    from hsched.experiment.launchers import Launcher
    from hsched.experiment.workspace import Workspace


class JobState(Enum):
    """Where a task stands in this experiment."""

    UNSCHEDULED = "unscheduled"  # not given to the scheduler
    WAITING = "waiting"  # pending there: for other tasks, for slots
    RUNNING = "running"
    DONE = "done"
    ERROR = "error"  # :attr:`Job.failure` says why

    @property
    def finished(self) -> bool:
        """Whether nothing more comes in this experiment."""
        return self in (JobState.DONE, JobState.ERROR)


class Asked(NamedTuple):
    """What a task asks of the scheduler; times in seconds."""

    slots: str = "1"
    time_limit: float | None = None
    priority: int = 0
    grace: float = 5.0
    max_retries: int = 0


class Watch(NamedTuple):
    """A callback for what a method of ``config`` makes while the task runs."""

    config: Any
    method: Callable[..., Any]
    callback: Callable[[Any], object]


class Job:
    """One task of an experiment.

    A submit hook may change ``environ``.  The scheduler's id of the job is ``id``, None as
    long as it has none; ``runs`` counts the runs that have ended without an end.
    """

    def __init__(self, config: Any, kind: str, identifier: str, workspace: Workspace) -> None:
        self.config = config
        self.kind = kind
        self.name = kind.rpartition(".")[2]
        self.identifier = identifier
        self.workspace = workspace
        self.path = workspace.task_folder(kind, identifier)
        self.environ: ChainMap[str, str] = ChainMap({})
        self.experiment = ""
        self.launcher: Launcher | None = None
        self.asked = Asked()
        self.resumable = False
        self.warm: str | None = None  # where a warm interpreter listens that shall run it
        self.interpreter = sys.executable
        self.engine = "local"  # what runs the scheduler's jobs: this machine, or "slurm"
        self.state = JobState.UNSCHEDULED
        self.failure: Failure | None = None
        self.dependencies: tuple[Job, ...] = ()
        self.tokens: list[Any] = []
        self.tags: dict[str, Any] = {}
        self.watches: list[Watch] = []
        self.completions: list[Callable[[], object]] = []
        self.id: str | None = None
        self.runs = 0

    def __repr__(self) -> str:
        return f"Job({self.kind}/{self.identifier[:8]}, {self.state.value})"

    @property
    def jobpath(self) -> Path:
        """The folder of the task."""
        return self.path

    @property
    def relpath(self) -> str:
        """The folder as it is called within ``jobs/``."""
        return f"{self.kind}/{self.identifier}"

    @property
    def script(self) -> Path:
        """What the job runs."""
        return self.path / f"{self.name}.py"

    @property
    def stdout(self) -> Path:
        """Where the task's standard output goes."""
        return self.path / f"{self.name}.out"

    @property
    def stderr(self) -> Path:
        """Where the task's errors go."""
        return self.path / f"{self.name}.err"

    @property
    def done_path(self) -> Path:
        """The file that says that the task has succeeded."""
        return self.path / f"{self.name}.done"

    @property
    def failed_path(self) -> Path:
        """The file that says how its last run failed."""
        return self.path / f"{self.name}.failed"

    @property
    def lock_path(self) -> Path:
        """The file that the running task has locked."""
        return self.path / f"{self.name}.lock"

    def is_done(self) -> bool:
        """Return whether the task has succeeded, here or in any earlier experiment."""
        return self.done_path.exists()

    def last_failure(self) -> Failure | None:
        """Return what the last run wrote of its failure, None where it did not fail."""
        return read_failed(self.failed_path)

    def unique_key(self) -> str:
        """Return what a live job of this task is known by at the scheduler."""
        return self.workspace.unique_key(self.kind, self.identifier)

    def wait(self) -> JobState:
        """Wait until the task has ended or failed, and return its state.

        Raises:
            WrongUsage: it belongs to no experiment that is open.
        """
        from hsched.experiment.run import experiment_of

        return experiment_of(self).board.wait_for(self)
