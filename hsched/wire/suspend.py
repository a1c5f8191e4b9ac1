"""Suspend: stop running jobs."""

from __future__ import annotations

from typing import ClassVar

from hsched.wire.choice import Choice


class SuspendRequest(Choice):
    """Stop (SIGSTOP) the chosen running jobs; they keep their slots."""

    VERB: ClassVar[str] = "suspend"
