"""hsched: the batch system for one workstation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hsched.client import AsyncClient, AsyncJob, Client, Job
    from hsched.tasks import exit_and_retry, export
    from hsched.tasks.executor import Executor
    from hsched.wire.submit import JobSpec

__version__ = "0.1.0"
__all__ = [
    "AsyncClient",
    "AsyncJob",
    "Client",
    "Executor",
    "Job",
    "JobSpec",
    "__version__",
    "exit_and_retry",
    "export",
]


def __getattr__(name: str) -> Any:
    """Import the public names when they are first used: commands must start fast."""
    if name in ("AsyncClient", "AsyncJob", "Client", "Job"):
        from hsched import client

        return getattr(client, name)
    if name in ("export", "exit_and_retry"):
        from hsched import tasks

        return getattr(tasks, name)
    if name == "Executor":
        from hsched.tasks.executor import Executor

        return Executor
    if name == "JobSpec":
        from hsched.wire.submit import JobSpec

        return JobSpec
    raise AttributeError(f"module 'hsched' has no attribute {name!r}")
