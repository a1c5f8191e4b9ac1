"""The store: one SQLite file per scheduler name, with every run and every job.

It holds state, not a log of events: a row says how a job stands.  What a client
has been told is in here first.
"""

from __future__ import annotations

from hsched.broker.store.store import Store

__all__ = ["Store"]
