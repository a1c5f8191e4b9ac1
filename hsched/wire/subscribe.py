"""Subscribe: numbered changes, so that nobody who waits needs to poll."""

from __future__ import annotations

from typing import ClassVar

from hsched.wire.message import Message


class SubscribeRequest(Message):
    """Send every change with a number above ``since``, now and from now on.

    None means from now on.  Numbers restart with each broker; ``epoch`` is the one that
    ``since`` belongs to.  ``ids`` (and all elements of arrays among them) narrows.
    The reply tells how the jobs in ``ids`` stand.

    With ``arrivals`` also each job that comes in is told, as ``pending`` with the number 0,
    and, by a page without changes, that the slots or the scheduler itself have changed.
    With ``ends`` only how jobs end is told, after how those in ``ids`` stand.
    """

    VERB: ClassVar[str] = "subscribe"
    since: int | None = None
    epoch: str | None = None
    ids: tuple[str, ...] | None = None
    arrivals: bool = False
    ends: bool = False


class Change(Message):
    """A job came to ``state``; the outcome and its numbers where that is ``done``.

    An array as a whole, named by its number alone, only ever comes to ``done``, without
    an outcome.
    """

    number: int
    id: str
    state: str
    outcome: str | None = None
    exit_status: int | None = None
    signal: int | None = None
    errno: int | None = None
    reason: str | None = None


class Changes(Message):
    """Changes in order.  ``complete`` is false where some were forgotten: list again."""

    epoch: str
    upto: int
    changes: tuple[Change, ...]
    complete: bool = True
