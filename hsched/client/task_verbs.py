"""What the client can do for tasks alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from hsched import paths
from hsched.client import asks
from hsched.client.connection import Connection
from hsched.errors import NotRunning

if TYPE_CHECKING:
    from hsched.wire.runs import RunView


class TaskVerbs:
    """The part of :class:`~hsched.client.Client` that the commands for tasks need."""

    place: paths.Place
    _connection: Connection

    def remove(self, ids: Iterable[str]) -> list[str]:
        """Take jobs off the list of tasks; pending ones leave the queue.  History keeps them.

        Raises:
            NoSuchJob: this run never gave out an id; nothing was done.
            Refused: a job runs; nothing was done.
        """
        ask = asks.remove(ids)
        return ask.made_of(self._connection.call(ask.request, ask.reply))

    def runs(self) -> tuple[RunView, ...]:
        """Return all runs of the scheduler, the oldest first; it need not run.

        Raises:
            NotRunning: no scheduler of this name ever ran.
        """
        ask = asks.runs()
        try:
            return ask.made_of(self._connection.call(ask.request, ask.reply))
        except NotRunning:
            from hsched.client.history import read_history

            return ask.made_of(read_history(self.place, ask.request, ask.reply))
