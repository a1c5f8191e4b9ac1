"""Marks what a task makes: ``dep`` of `task_outputs`."""

from __future__ import annotations

from typing import Any, TypeVar

from hsched.experiment.copies import copyconfig
from hsched.experiment.errors import WrongValue
from hsched.experiment.state import is_config, state_of

T = TypeVar("T")


class Marker:
    """Marks configurations as outputs of one task.

    Args:
        task: a sealed task.
        soft: what it marks is there while the task still runs.
    """

    __slots__ = ("_soft", "_task")

    def __init__(self, task: Any, *, soft: bool = False) -> None:
        self._task, self._soft = task, soft

    def __call__(self, config: T, /) -> T:
        """Return the configuration, marked: who uses it depends on the task.

        The task itself needs no mark.  What is sealed already is part of other identities; a
        copy of it is marked, and returned.

        Raises:
            WrongValue: it is no configuration, a task, or another task's output.
        """
        if not is_config(config):
            raise WrongValue(f"dep: {config!r} is no configuration; build one with CLASS.C(...)")
        if config is self._task:
            return config
        state = state_of(config)
        if state.is_task:
            raise WrongValue(f"dep: {config!r} is a task: it depends on nothing but itself")
        if state.task is self._task:
            return config
        if state.task is not None:
            raise WrongValue(f"dep: Configuration has already been marked by {state.task!r}")
        if state.sealed:
            config = copyconfig(config)
            state = state_of(config)
        state.task, state.soft = self._task, self._soft
        return config
