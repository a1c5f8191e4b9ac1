"""A stream of changes that survives the broker's restart."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from hsched import paths
from hsched.client.connection import Connection, new_key, read_reply, wait_for_any
from hsched.errors import AlreadyRunning, NoAnswer, NoSuchJob, NotRunning
from hsched.wire.frames import Header
from hsched.wire.subscribe import Change, Changes, SubscribeRequest

if TYPE_CHECKING:
    from hsched.wire.jobs import JobView


def change_of(job: JobView) -> Change:
    """Return how a job stands as a subscription would have told it."""
    return Change(
        number=0,
        id=job.id,
        state=job.state,
        outcome=job.outcome,
        exit_status=job.exit_status,
        signal=job.signal,
        reason=job.reason,
    )


class Subscription:
    """Iterate over it for changes in order; it has a connection of its own.

    The first changes say how the chosen jobs stand, so that nothing falls between
    looking and listening.  ``is_complete`` is False where changes before those of the last
    page were missed, because another broker has taken over: list the jobs again.
    """

    def __init__(
        self,
        place: paths.Place,
        ids: Sequence[str] | None,
        timeout: float | None,
        *,
        arrivals: bool = False,
        ends: bool = False,
    ) -> None:
        """Subscribe to ``ids``, None for all jobs, for ``timeout`` seconds, None for ever.

        Nothing is asked for before :meth:`begin`, or before the first change is waited for.
        """
        self._connection = Connection(place, timeout or 0.0)
        self._ids = None if ids is None else tuple(ids)
        self._arrivals, self._ends = arrivals, ends
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._epoch: str | None = None
        self._upto: int | None = None
        self._key: str | None = None
        self._is_over = False  # as history tells
        self.is_complete = True

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    @property
    def has_begun(self) -> bool:
        """Whether the broker has answered, so that no change from here on is missed."""
        return self._epoch is not None

    def __iter__(self) -> Iterator[Change]:
        """Yield changes until the time is up.

        Raises:
            NotRunning: the scheduler was stopped.
            NoSuchJob: an id was never given out in this run.
        """
        while (changes := self.page()) is not None:
            yield from changes

    def begin(self, timeout: float | None = None) -> None:
        """Ask for changes now, not only when the first of them is waited for.

        ``timeout`` are the seconds that a broker has to take the question; None is as long
        as the subscription lasts.

        Raises:
            NotRunning: the scheduler was stopped.
            NoAnswer: it does not take it in time.
        """
        if self._key is None:
            key, request, limit = self._request()
            if timeout is not None:
                limit = min(limit, time.monotonic() + timeout)
            self._connection.send(request, key, limit)
            self._key = key

    def page(self, other: int = -1) -> tuple[Change, ...] | None:
        """Wait for changes and return them; None where the time is up.

        There are none where the broker had to be asked again, where the descriptor
        ``other`` has become readable, or where slots have changed and ``arrivals`` are told.
        Where the scheduler was stopped, history first tells which of ``ids`` are done.

        Raises:
            NotRunning: the scheduler was stopped, and there is no more to tell.
            NoSuchJob: an id was never given out in this run.
        """
        try:
            self.begin()
        except NotRunning as error:
            return self._last_words(error)
        except NoAnswer:
            if self._deadline is None:
                raise
            return None
        if other >= 0 and not self._connection.has_news(other, self._deadline):
            return ()
        try:
            frames = self._connection.receive(self._deadline)
        except NoAnswer:
            return None
        return self._taken(frames)

    def skip(self) -> None:
        """Pass over all changes that have come by now, without waiting for more.

        Raises:
            NoSuchJob: an id was never given out in this run.
        """
        while self._key is not None and wait_for_any([self._connection], (), 0.0):
            self.page()

    def _taken(self, frames: tuple[Header, bytes] | None) -> tuple[Change, ...]:
        """Return the changes in what the broker said, None where it died."""
        if frames is None:
            self._key = None
        if frames is None or frames[0].key != self._key:
            return ()
        changes = read_reply(frames, Changes)
        self._epoch, self._upto = changes.epoch, changes.upto
        self.is_complete = changes.complete
        return changes.changes

    def _last_words(self, error: NotRunning) -> tuple[Change, ...]:
        """Return which jobs are done and how, as history tells; the next time raise ``error``.

        There are none where somebody else is just looking, or a broker comes up.
        """
        if self._ids is None or self._is_over or self._connection.is_remote:
            raise error
        from hsched.client.history import read_history  # for a stopped scheduler alone

        request = SubscribeRequest(ids=self._ids)
        try:
            changes = read_history(self._connection.place, request, Changes).changes
        except AlreadyRunning:
            return ()
        except NoSuchJob:
            raise error from None
        self._is_over = True
        return tuple(change for change in changes if change.state == "done")

    def _request(self) -> tuple[str, SubscribeRequest, float]:
        """Return a fresh key, what to ask, and until when."""
        key = new_key()
        request = SubscribeRequest(
            since=self._upto,
            epoch=self._epoch,
            ids=self._ids,
            arrivals=self._arrivals,
            ends=self._ends,
        )
        limit = self._deadline if self._deadline is not None else time.monotonic() + 3600.0
        return key, request, limit


def wait_for_news(
    subscriptions: Sequence[Subscription], *others: int, timeout: float | None = None
) -> list[Subscription]:
    """Wait until some have changes to tell, or cannot go on, pass over all that, and return them.

    There are none where only one of the descriptors ``others`` is readable, or ``timeout``
    seconds have passed, None for never.  All must have begun.  Those that cannot go on, because
    the broker is gone, are to begin again.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    asked = {one._connection: one for one in subscriptions}
    told = [asked[each] for each in wait_for_any(list(asked), others, deadline)]
    for one in told:
        one.skip()
    return told
