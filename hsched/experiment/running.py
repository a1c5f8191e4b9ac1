"""Whether this process runs a task: then a class called builds objects, not configurations."""

from __future__ import annotations

from typing import Any

#: The task that runs here, or None in the process that describes experiments.
task: Any = None
