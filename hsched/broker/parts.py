"""What a broker is made of, and what it gathers in a turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from hsched.broker.endpoint import Endpoint, Peer
from hsched.broker.premises import Premises
from hsched.broker.shims import Shims
from hsched.broker.store import Store
from hsched.broker.store.rows import Run
from hsched.broker.waker import Waker
from hsched.core.effects import Effect
from hsched.core.scheduler import Scheduler
from hsched.paths import Place


@dataclass(slots=True)
class Parts:
    """What a broker is made of; ``new_scheduler`` makes an empty core for the run."""

    place: Place
    run: Run
    store: Store
    new_scheduler: Callable[[Run], Scheduler]
    endpoint: Endpoint
    premises: Premises
    waker: Waker
    shims: Shims


class Timed(Protocol):
    """A part that may have something to do at a moment of its own."""

    @property
    def deadline(self) -> float | None:
        """That moment, on the monotonic clock."""

    def look_at(self, now: float) -> None:
        """Do it, if the moment has come."""


@dataclass(slots=True)
class Turn:
    """What one turn has gathered; it is empty when the turn is over.

    Of its effects so many were ``written``, and so many looked at for what is to follow them.
    """

    effects: list[Effect] = field(default_factory=list)
    written: int = 0
    followed: int = 0
    replies: list[tuple[Peer, str, str, bytes]] = field(default_factory=list)
    spent_records: list[str] = field(default_factory=list)
