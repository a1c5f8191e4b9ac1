"""Release: let held jobs start again."""

from __future__ import annotations

from typing import ClassVar

from hsched.wire.choice import Choice


class ReleaseRequest(Choice):
    """Let the chosen held jobs start again."""

    VERB: ClassVar[str] = "release"
