"""Hooks and annotations by their longer name."""

from __future__ import annotations

from hsched.experiment.config import Config
from hsched.experiment.hooks import SubmitHook, submit_hook_decorator
from hsched.experiment.identity import Identifier
from hsched.experiment.markers import Choices, Constant, DataPath, Meta, Option, Param, help
from hsched.experiment.tasks import DependentMarker, LightweightTask, ResumableTask, Task

__all__ = [
    "Choices",
    "Config",
    "Constant",
    "DataPath",
    "DependentMarker",
    "Identifier",
    "LightweightTask",
    "Meta",
    "Option",
    "Param",
    "ResumableTask",
    "SubmitHook",
    "Task",
    "help",
    "submit_hook_decorator",
]
