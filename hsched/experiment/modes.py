"""What an experiment does with its tasks."""

from __future__ import annotations

from enum import Enum


class RunMode(Enum):
    """Run them; only write what would be run; or only tell what would."""

    NORMAL = "normal"
    GENERATE_ONLY = "generate"
    DRY_RUN = "dry-run"
