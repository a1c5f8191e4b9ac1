"""The client: what commands, scripts and layers above use to speak with a broker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hsched.client.async_client import AsyncClient, AsyncJob
    from hsched.client.client import Client
    from hsched.client.job import Job

__all__ = ["AsyncClient", "AsyncJob", "Client", "Job"]


def __getattr__(name: str) -> Any:
    """Import the public names when they are first used: not all that is here needs a socket."""
    if name == "Client":
        from hsched.client.client import Client

        return Client
    if name == "Job":
        from hsched.client.job import Job

        return Job
    if name in ("AsyncClient", "AsyncJob"):
        from hsched.client import async_client

        return getattr(async_client, name)
    raise AttributeError(f"module 'hsched.client' has no attribute {name!r}")
