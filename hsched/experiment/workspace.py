"""A workspace: the folder that holds the tasks of all its experiments."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from hsched.errors import WrongUsage
from hsched.experiment.settings import WorkspaceSettings

_MARKER = ".hsched-workspace"


class Workspace:
    """The folder, and where things are in it."""

    def __init__(self, settings: WorkspaceSettings) -> None:
        self.settings = settings
        self.path = settings.path

    def __repr__(self) -> str:
        return f"Workspace({str(self.path)!r})"

    @property
    def jobspath(self) -> Path:
        """The folder of all tasks."""
        return self.path / "jobs"

    @property
    def experiments(self) -> Path:
        """The folder of all experiments."""
        return self.path / "experiments"

    def task_folder(self, kind: str, identifier: str) -> Path:
        """Return the folder of the task of type ``kind`` with that identity."""
        return self.path / "jobs" / kind / identifier

    def create(self) -> None:
        """Make the folder, which may be there.

        Raises:
            WrongUsage: it cannot be made, or written to.
        """
        try:
            for folder in (self.jobspath, self.experiments):
                folder.mkdir(parents=True, exist_ok=True)
            (self.path / _MARKER).touch()
        except OSError as error:
            where = error.filename or self.path
            raise WrongUsage(f"workspace {self.path}: {where}: {error.strerror}") from error

    def unique_key(self, kind: str, identifier: str) -> str:
        """Return what a live job of this task is known by, here and in other drivers."""
        whole = os.path.realpath(self.task_folder(kind, identifier))
        return "task:" + hashlib.sha256(os.fsencode(whole)).hexdigest()


def is_workspace(path: Path) -> bool:
    """Return whether there is a workspace at ``path``."""
    return (path / _MARKER).exists()
