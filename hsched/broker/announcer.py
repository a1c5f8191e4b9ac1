"""Numbered changes, kept for a while and streamed to who subscribed."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from hsched.broker.endpoint import Peer
from hsched.core.model import JobId, Outcome, State, format_job_id
from hsched.wire.subscribe import Change, Changes

_REMEMBERED = 10_000

Send = Callable[[Peer, str, Changes], bool]


@dataclass(frozen=True, slots=True)
class _Subscriber:
    peer: Peer
    key: str
    ids: frozenset[str] | None  # of jobs, elements and whole arrays; None for all

    def wants(self, change: Change) -> bool:
        if self.ids is None:
            return True
        return change.id in self.ids or change.id.partition(".")[0] in self.ids


class Announcer:
    """Counts changes from 1 in each epoch; an epoch is one broker's life."""

    def __init__(self, send: Send) -> None:
        self.epoch = os.urandom(8).hex()
        self._send = send
        self._number = 0
        self._recent: deque[Change] = deque(maxlen=_REMEMBERED)
        self._fresh: list[Change] = []
        self._subscribers: list[_Subscriber] = []

    def note(self, job_id: JobId, state: State, outcome: Outcome | None = None) -> None:
        """Count a change; :meth:`publish` sends it."""
        self._number += 1
        self._fresh.append(change(self._number, job_id, state, outcome))

    def publish(self) -> None:
        """Send what was noted to those who want it; who is gone is forgotten."""
        if not self._fresh:
            return
        fresh, self._fresh = self._fresh, []
        self._recent.extend(fresh)
        self._subscribers = [one for one in self._subscribers if self._tell(one, fresh)]

    def subscribe(self, peer: Peer, key: str, ids: Sequence[str] | None) -> None:
        """Send changes to ``peer`` from now on, under ``key``."""
        exact = None if ids is None else frozenset(ids)
        self._subscribers.append(_Subscriber(peer, key, exact))

    def since(self, number: int | None, epoch: str | None) -> tuple[list[Change], bool]:
        """Return the changes after ``number``, and whether none is missing."""
        if number is None or epoch != self.epoch:
            return [], number is None
        missed = self._number - number
        recent = list(self._recent)[-missed:] if missed > 0 else []
        return recent, missed <= len(recent)

    def page(self, changes: Iterable[Change], complete: bool = True) -> Changes:
        """Return a message with these changes, up to date as of now."""
        return Changes(
            epoch=self.epoch, upto=self._number, changes=tuple(changes), complete=complete
        )

    def _tell(self, subscriber: _Subscriber, fresh: list[Change]) -> bool:
        wanted = [one for one in fresh if subscriber.wants(one)]
        return not wanted or self._send(subscriber.peer, subscriber.key, self.page(wanted))


def change(number: int, job_id: JobId, state: State, outcome: Outcome | None) -> Change:
    """Return the message that tells of one change."""
    return Change(
        number=number,
        id=format_job_id(job_id),
        state=state.value,
        outcome=None if outcome is None else outcome.kind.value,
        exit_status=None if outcome is None else outcome.exit_status,
        signal=None if outcome is None else outcome.signal,
        reason=(outcome.reason or None) if outcome is not None else None,
    )
