"""Hold: keep pending jobs from starting."""

from __future__ import annotations

from typing import ClassVar

from hsched.wire.choice import Choice


class HoldRequest(Choice):
    """Keep the chosen pending jobs from starting until they are released."""

    VERB: ClassVar[str] = "hold"
