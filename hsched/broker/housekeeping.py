"""Forgetting in time: environments, which may hold secrets, and replies nobody asks for again."""

from __future__ import annotations

from hsched.broker.store import Store
from hsched.broker.store.rows import Run

DAY_S = 86400.0

#: How long an environment stays after its last job is done, in seconds, unless hstart says.
KEEP_ENVIRONMENTS_S = 7 * DAY_S

#: Clients give up long before.
_KEEP_REPLIES_S = 3600.0


class Housekeeping:
    """Once a day, when the broker is awake anyway: it has no timer of its own."""

    def __init__(self, store: Store, run: Run) -> None:
        self._store = store
        self._keep_environments_s = run.options.get("keep_env_s", KEEP_ENVIRONMENTS_S)
        self._next = 0.0

    def is_due(self, wall: float) -> bool:
        """Return whether a day has passed since the last time."""
        return wall >= self._next

    def clean(self, wall: float) -> None:
        """Forget what is too old; part of the turn's transaction."""
        self._next = wall + DAY_S
        self._store.begin()
        self._store.forget_environments(wall - self._keep_environments_s)
        self._store.forget_requests(wall - _KEEP_REPLIES_S)
