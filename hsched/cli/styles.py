"""How tables and `hsched top` colour what they tell; styles are named as rich names them."""

from __future__ import annotations

#: What went wrong.
FAILED = "red"

_STATES = {
    "-": "",
    "pending": "yellow",
    "held": "magenta",
    "starting": "cyan",
    "running": "cyan",
    "suspended": "magenta",
    "stopping": "magenta",
    "succeeded": "green",
    "cancelled": "dim",
}


def state_style(word: str) -> str:
    """Return the style of a state or an outcome; one without a style of its own has failed."""
    return _STATES.get(word, FAILED)
