"""The schedulers of this user on this machine while somebody watches them."""

from __future__ import annotations

import os
import time
from math import inf

from hsched import paths
from hsched.cli.fields.schedulers import Standing
from hsched.client import Client
from hsched.client.inotify import MADE, MOVED, FolderEvents
from hsched.client.subscription import wait_for_news
from hsched.errors import HschedError, NoAnswer, NotRunning
from hsched.wire.status import StatusReply

#: A broker that hangs must not hold up the others; and so much later it is asked again, or
#: where nothing tells of a scheduler that starts one looks.  In seconds.
_PATIENCE_S, _AGAIN_S = 2.0, 5.0


class _Live:
    """A scheduler that has answered, and the connections to it."""

    def __init__(self, name: str) -> None:
        self._client = Client(name, timeout=_PATIENCE_S)
        self.changes = self._client.subscribe(arrivals=True)
        self.reply: StatusReply | None = None

    def ask(self) -> None:
        """Learn how it stands, and be told of changes from here on.

        Raises:
            HschedError: it does not run, or does not answer.
        """
        self.reply = self._client.status()
        self.changes.begin(_PATIENCE_S)

    def close(self) -> None:
        self._client.close()
        self.changes.__exit__()


class Schedulers:
    """Those of ``names``, or all; they tell what changes, and those that start are found.

    A scheduler that starts writes its address, of which the kernel tells.  Where it cannot,
    on file systems of other hosts, one looks every few seconds, as one does for a scheduler
    that does not answer.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names
        self._home = os.path.join(paths.home(), paths.host())
        self._live: dict[str, _Live] = {}
        self._troubles: dict[str, HschedError] = {}
        self._look_at = inf
        self._events: FolderEvents | None = None
        if not paths.is_on_network(self._home):
            try:
                self._events = FolderEvents()
            except OSError:
                self._events = None  # the user has too many

    def __enter__(self) -> Schedulers:
        self._look()
        return self

    def __exit__(self, *_: object) -> None:
        for live in self._live.values():
            live.close()
        if self._events is not None:
            self._events.close()

    @property
    def rows(self) -> list[Standing]:
        """How they stand, by name."""
        silent = (name for name, error in self._troubles.items() if isinstance(error, NoAnswer))
        rows = [Standing(name, live.reply) for name, live in self._live.items()]
        rows += [Standing(name, None) for name in silent]
        return sorted(rows, key=lambda one: one.name)

    @property
    def troubles(self) -> list[str]:
        """What is wrong with some, a clause for each."""
        return [str(error) for error in self._troubles.values()]

    def wait(self, other: int) -> None:
        """Wait until one of them has changed, or the descriptor ``other`` is readable."""
        names = {live.changes: name for name, live in self._live.items()}
        events = () if self._events is None else (self._events.descriptor,)
        left = None if self._look_at == inf else max(0.0, self._look_at - time.monotonic())
        for changes in wait_for_news(list(names), other, *events, timeout=left):
            self._ask(names[changes])
        if self._is_there_more() or time.monotonic() >= self._look_at:
            self._look()

    def _is_there_more(self) -> bool:
        """Return whether a scheduler may have started since the last call."""
        told = [] if self._events is None else list(self._events.read())
        folders = {os.path.join(self._home, name) for name in paths.names()}
        # Nothing else in their folders counts, for to look for a scheduler may make files there.
        return any(
            os.path.basename(path) == "address" or os.path.dirname(path) not in folders
            for path in told
        )

    def _look(self) -> None:
        """Find those that run and are not known to."""
        self._look_at = inf if self._watch_folders() else time.monotonic() + _AGAIN_S
        for name in self._names or paths.names():
            if name not in self._live:
                self._find(name)

    def _find(self, name: str) -> None:
        try:
            self._live[name] = _Live(name)
        except HschedError as error:
            self._troubles[name] = error
        else:
            self._ask(name)

    def _ask(self, name: str) -> None:
        self._troubles.pop(name, None)
        try:
            self._live[name].ask()
        except HschedError as error:
            self._live.pop(name).close()
            if not isinstance(error, NotRunning):
                self._troubles[name] = error
            if isinstance(error, NoAnswer):
                self._look_at = min(self._look_at, time.monotonic() + _AGAIN_S)

    def _watch_folders(self) -> bool:
        """Be told of schedulers that start; return whether that can be."""
        if self._events is None:
            return False
        nearest = self._home
        while not os.path.exists(nearest):
            nearest = os.path.dirname(nearest)
        try:
            self._events.add(nearest, MADE | MOVED)
            for name in paths.names():
                self._events.add(os.path.join(self._home, name), MOVED)
        except OSError:  # it is just being removed, or the user has too many watches
            return False
        return True
