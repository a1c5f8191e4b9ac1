"""A stream of changes that survives the broker's restart."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from types import TracebackType

from hsched import paths
from hsched.client.connection import Connection, new_key, read_reply
from hsched.errors import NoAnswer
from hsched.wire.subscribe import Change, Changes, SubscribeRequest


class Subscription:
    """Iterate over it for changes in order; it has a connection of its own.

    The first changes say how the chosen jobs stand, so that nothing falls between
    looking and listening.
    """

    def __init__(
        self, place: paths.Place, ids: Sequence[str] | None, timeout: float | None
    ) -> None:
        self._connection = Connection(place, timeout or 0.0)
        self._ids = None if ids is None else tuple(ids)
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._epoch: str | None = None
        self._upto: int | None = None

    def __enter__(self) -> Subscription:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def __iter__(self) -> Iterator[Change]:
        """Yield changes until the time is up.

        Raises:
            NotRunning: the scheduler was stopped.
            NoSuchJob: an id was never given out in this run.
        """
        key = self._ask()
        while True:
            try:
                frames = self._connection.receive(self._deadline)
            except NoAnswer:
                return
            if frames is None:
                key = self._ask()
            elif frames[0].key == key:
                changes = read_reply(frames, Changes)
                self._epoch, self._upto = changes.epoch, changes.upto
                yield from changes.changes

    def _ask(self) -> str:
        key = new_key()
        request = SubscribeRequest(since=self._upto, epoch=self._epoch, ids=self._ids)
        limit = self._deadline if self._deadline is not None else time.monotonic() + 3600.0
        self._connection.send(request, key, limit)
        return key
