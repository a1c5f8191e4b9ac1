"""Numbered changes, kept for a while and streamed to who subscribed."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from hsched.broker.endpoint import Peer
from hsched.core.effects import Effect, EndJob
from hsched.core.model import (
    JobId,
    Outcome,
    State,
    array_of,
    format_job_id,
    job_id,
    job_number,
)
from hsched.wire.subscribe import Change, Changes

_REMEMBERED = 10_000

Send = Callable[[Peer, str, Changes], bool]


class News(NamedTuple):
    """A change as it is kept; it becomes a message only where somebody wants it."""

    number: int
    job_id: JobId
    state: State
    outcome: Outcome | None

    def message(self) -> Change:
        """Return the message that tells of it."""
        outcome = self.outcome
        if outcome is None:
            return Change(number=self.number, id=format_job_id(self.job_id), state=self.state.value)
        return Change(
            number=self.number,
            id=format_job_id(self.job_id),
            state=self.state.value,
            outcome=outcome.kind.value,
            exit_status=outcome.exit_status,
            signal=outcome.signal,
            errno=outcome.errno,
            reason=outcome.reason or None,
        )


class _Subscriber(NamedTuple):
    peer: Peer
    key: str
    ids: frozenset[JobId] | None  # of jobs, elements and whole arrays; None for all
    arrivals: bool  # whether to tell of jobs that come in, and of changed slots
    ends: bool  # whether to tell of nothing but ends

    def wants(self, news: News) -> bool:
        ids = self.ids
        if self.ends and news.state is not State.DONE:
            return False
        return ids is None or news.job_id in ids or job_id(job_number(news.job_id)) in ids


class Announcer:
    """Counts changes from 1 in each epoch; an epoch is one broker's life."""

    def __init__(self, send: Send) -> None:
        self.epoch = os.urandom(8).hex()
        self._send = send
        self._number = 0
        self._recent: deque[News] = deque(maxlen=_REMEMBERED)
        self._fresh: list[News] = []
        self._arrived: list[News] = []
        self._slots_changed = False
        self._subscribers: list[_Subscriber] = []

    def note(self, job: JobId, state: State, outcome: Outcome | None = None) -> None:
        """Count a change; :meth:`publish` sends it."""
        self._number += 1
        self._fresh.append(News(self._number, job, state, outcome))

    def note_arrival(self, job: JobId) -> None:
        """Tell those who asked for it that a job comes in."""
        if any(one.arrivals for one in self._subscribers):
            self._arrived.append(News(0, job, State.PENDING, None))

    def note_slots(self) -> None:
        """Tell those who asked for it that there are other slots than before."""
        self._slots_changed = any(one.arrivals for one in self._subscribers)

    def note_arrays(
        self,
        effects: Iterable[Effect],
        later: Iterable[Effect],
        has_members: Callable[[JobId], bool],
    ) -> None:
        """Count which arrays are done as a whole by ``effects``; ``later`` ones come next."""
        ended = {array_of(one.job_id) for one in effects if isinstance(one, EndJob)} - {None}
        if ended:
            ended -= {array_of(one.job_id) for one in later if isinstance(one, EndJob)}
        for array in ended:
            if array is not None and not has_members(array):
                self.note(array, State.DONE)

    def publish(self) -> None:
        """Send what was noted to those who want it; who is gone is forgotten."""
        if not self._fresh and not self._arrived and not self._slots_changed:
            return
        fresh, self._fresh = self._fresh, []
        self._recent.extend(fresh)
        self._subscribers = [one for one in self._subscribers if self._tell(one, fresh)]
        self._arrived, self._slots_changed = [], False

    def subscribe(
        self,
        peer: Peer,
        key: str,
        ids: Iterable[JobId] | None,
        *,
        arrivals: bool = False,
        ends: bool = False,
    ) -> None:
        """Send changes to ``peer`` from now on, under ``key``."""
        chosen = None if ids is None else frozenset(ids)
        self._subscribers.append(_Subscriber(peer, key, chosen, arrivals, ends))

    def since(self, number: int | None, epoch: str | None) -> tuple[list[News], bool]:
        """Return the changes after ``number``, and whether none is missing."""
        if number is None or epoch != self.epoch:
            return [], number is None
        missed = self._number - number
        recent = list(self._recent)[-missed:] if missed > 0 else []
        return recent, missed <= len(recent)

    def page(self, news: Iterable[News], complete: bool = True) -> Changes:
        """Return a message with these changes, up to date as of now."""
        return Changes(
            epoch=self.epoch,
            upto=self._number,
            changes=tuple(one.message() for one in news),
            complete=complete,
        )

    def _tell(self, subscriber: _Subscriber, fresh: list[News]) -> bool:
        told = [*self._arrived, *fresh] if subscriber.arrivals else fresh
        wanted = [one for one in told if subscriber.wants(one)]
        if not wanted and not (subscriber.arrivals and self._slots_changed):
            return True
        return self._send(subscriber.peer, subscriber.key, self.page(wanted))
