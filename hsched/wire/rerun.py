"""Rerun: submit jobs again that are done."""

from __future__ import annotations

from typing import ClassVar

from hsched.wire.message import Message


class RerunRequest(Message):
    """Submit the done jobs that ``words`` mean again, or all that ``failed``.

    ``failed`` leaves out those that were submitted again before.  A new job asks for what
    the old one asked for, in the same folder and environment.  The reply is that of submit.
    """

    VERB: ClassVar[str] = "rerun"
    words: tuple[str, ...] = ()
    failed: bool = False
