"""params.json: a task with all that it is made of, written by a driver and read by the task."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hsched.experiment.restore import Loaded


def text(config: Any) -> str:
    """Return params.json for a sealed task; see `writing.text`."""
    from hsched.experiment import writing

    return writing.text(config)


def write(config: Any) -> dict[str, Any]:
    """Return what params.json holds for a configuration."""
    from hsched.experiment import writing

    return writing.write(config)


def read(data: dict[str, Any], folder: Path) -> Loaded:
    """Return the task of params.json, ready to be executed; see `restore.restore`.

    It imports nothing of what describes configurations: a task starts fast.
    """
    from hsched.experiment.restore import restore

    return restore(data, folder)
