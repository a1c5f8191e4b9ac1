"""Paths that follow from where a task is: made when its configuration is sealed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

#: Gives a path from (context, configuration).
PathFunction = Callable[[Any, Any], "str | Path"]


class PathGenerator:
    """A path below the folder of the task: ``field(default_factory=PathGenerator("m.pth"))``.

    Args:
        path: relative to that folder; or a function of the context and the configuration.
        partial: put it in the folder that all tasks share which are equal but for what this
            partial identity leaves out.
    """

    __slots__ = ("partial", "path")

    def __init__(self, path: str | Path | PathFunction = "", *, partial: Any = None) -> None:
        self.path = path
        self.partial = partial

    def __call__(self, context: Any = None, config: Any = None) -> Path:
        """Return the path relative to its folder; called when a configuration is sealed."""
        path = self.path
        return Path(path if isinstance(path, (str, Path)) else path(context, config))


#: For annotations: ``Annotated[Path, pathgenerator("m.pth")]``.
pathgenerator = PathGenerator
