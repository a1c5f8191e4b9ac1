"""The client: what commands, scripts and layers above use to speak with a broker."""

from __future__ import annotations

from hsched.client.client import Client
from hsched.client.job import Job

__all__ = ["Client", "Job"]
