"""How far some jobs are, from the changes that a subscription brings.  Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from hsched.wire.subscribe import Change


class Tally:
    """What is known of the jobs in ``ids``, and of the elements of arrays among them.

    ``ended`` has the last change of each job that is done, ``counts`` how many are in
    which state.
    """

    def __init__(self, ids: Iterable[str]) -> None:
        self.ids = tuple(dict.fromkeys(ids))
        self.ended: dict[str, Change] = {}
        self.counts: Counter[str] = Counter()
        self._states: dict[str, str] = {}
        self._open = set(self.ids)

    def take(self, change: Change) -> None:
        """Take in one change."""
        if change.state == "done":
            self._open.discard(change.id)
            if change.outcome is None:
                return  # an array as a whole; its elements have told for themselves
            self.ended[change.id] = change
        self.counts[self._states.get(change.id, change.state)] -= change.id in self._states
        self._states[change.id] = change.state
        self.counts[change.state] += 1

    @property
    def total(self) -> int:
        """How many jobs there are, each element of an array being one."""
        return len(self._states)

    @property
    def all_done(self) -> bool:
        """Whether all of ``ids`` are done."""
        return not self._open

    @property
    def any_done(self) -> bool:
        """Whether one of ``ids`` is done, or there are none."""
        return len(self._open) < len(self.ids) or not self.ids

    def endings(self) -> list[Change]:
        """Return how those of ``ids`` ended that are done; of an array, each element."""
        return [
            change
            for identity, change in self.ended.items()
            if not {identity, identity.partition(".")[0]}.isdisjoint(self.ids)
            and {identity, identity.partition(".")[0]}.isdisjoint(self._open)
        ]
