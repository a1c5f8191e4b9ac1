"""Launchers: how a task becomes a job, and what it holds while it runs."""

from __future__ import annotations

from hsched.experiment.launchers.dynamic import DynamicLauncher
from hsched.experiment.launchers.launcher import DirectLauncher, Launcher

__all__ = ["DirectLauncher", "DynamicLauncher", "Launcher"]
