"""What can be wrong with tasks, before any is submitted."""

from __future__ import annotations

from hsched.errors import HschedError


class TaskError(HschedError, ValueError):
    """Tasks that cannot be submitted as they are; nothing was."""
