"""Resume: continue suspended jobs."""

from __future__ import annotations

from typing import ClassVar

from hsched.wire.choice import Choice


class ResumeRequest(Choice):
    """Continue (SIGCONT) the chosen suspended jobs."""

    VERB: ClassVar[str] = "resume"
