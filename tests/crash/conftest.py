"""Fixtures for tests that kill what must not be killed."""

from tests.e2e.conftest import sched, shell

__all__ = ["sched", "shell"]
