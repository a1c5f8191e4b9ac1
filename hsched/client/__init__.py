"""The client: what commands, scripts and layers above use to speak with a broker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hsched.client.client import Client
    from hsched.client.job import Job

__all__ = ["Client", "Job"]


def __getattr__(name: str) -> Any:
    """Import the public names when they are first used: not all that is here needs a socket."""
    if name == "Client":
        from hsched.client.client import Client

        return Client
    if name == "Job":
        from hsched.client.job import Job

        return Job
    raise AttributeError(f"module 'hsched.client' has no attribute {name!r}")
