"""Every error that hsched raises on purpose, under one base.

Each class says whose fault it is and with which status a command ends.  The
message is one sentence for a person: what went wrong, and what to do about it.
Errors cross the wire by the name of their class (:func:`by_name`).
"""

from __future__ import annotations

from typing import ClassVar


class HschedError(Exception):
    """Base of all of them; the state of the queue is as it was before the call."""

    exit_status: ClassVar[int] = 1


class WrongUsage(HschedError):
    """The words typed or the arguments given make no sense."""

    exit_status: ClassVar[int] = 2


class Refused(HschedError):
    """The request is well formed and cannot be granted."""


class NoSuchJob(Refused):
    """The job id was never given out in this run, or the job is not live."""


class JobFailed(HschedError):
    """A job that was to call a function ended without an answer; its log may say why."""


class NotRunning(HschedError):
    """No broker answers to this scheduler name, and none was killed there."""


class AlreadyRunning(HschedError):
    """A live broker holds the lock of this scheduler name."""


class NoAnswer(HschedError):
    """The broker did not answer in time; the request may or may not have been done.

    Sending it again with the same key is safe: a key is honoured once.
    """


class NotPermitted(HschedError):
    """The peer, a folder or a socket belongs to somebody else."""


class ProtocolMismatch(HschedError):
    """Client and broker are of versions that do not speak with each other."""


class MalformedMessage(HschedError):
    """Bytes on the wire that are no message; nothing was done with them."""


class StoreError(HschedError):
    """The store cannot be read or written; what it holds is left as it is."""


class MalformedTrace(HschedError):
    """A file of jobs to simulate is not in the format that it should be in."""


class IllegalTransition(HschedError):
    """A bug of ours: the state of a job does not allow the event; nothing changed."""


class SlotNotHeld(HschedError):
    """A bug of ours: a slot was given back that nobody holds; nothing changed."""


class NotEnoughSlots(HschedError):
    """A bug of ours: slots were taken that are not free; nothing changed."""


def by_name(name: str) -> type[HschedError]:
    """Return the error class called ``name``, or the base where there is none."""
    found = globals().get(name)
    if isinstance(found, type) and issubclass(found, HschedError):
        return found
    return HschedError
