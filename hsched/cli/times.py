"""Times as they are typed: lengths, moments, and warnings ahead of a limit."""

from __future__ import annotations

from typing import NamedTuple

from hsched.errors import WrongUsage

_HINT = "write 14:30, 2026-11-21, 2026-11-21T14:30 or +2h"


class Ahead(NamedTuple):
    """A signal that announces the time limit, this many seconds ahead."""

    signal: int
    before_s: float


def duration(word: str) -> float:
    """Return a length of time in seconds: ``90``, ``90s``, ``2h``, ``1:30:00``, ``2-12``."""
    from hsched.core.durations import parse_duration  # only where a time was typed

    return parse_duration(word)


def limit(word: str) -> float:
    """Return a time limit in seconds, more than 0."""
    seconds = duration(word)
    if seconds <= 0:
        raise WrongUsage(f"--time `{word}`: a limit is more than 0 seconds")
    return seconds


def warning(word: str) -> Ahead:
    """Return what ``USR1@120`` means: the signal, and the seconds ahead of the limit."""
    from hsched.cli.words import signal_number

    name, at, ahead = word.partition("@")
    if not at or not name:
        raise WrongUsage(f"--warn `{word}` is not of the form SIGNAL@TIME, such as USR1@120")
    return Ahead(signal_number(name), duration(ahead))


def moment(word: str, now: float) -> float:
    """Return the moment that ``word`` means, in seconds since the epoch, as ``now`` is.

    ``+2h`` counts from now.  ``14:30`` is the next time the clocks here show it, a date
    its midnight; without an offset they are local time.

    Raises:
        WrongUsage: it is no moment.
    """
    if word.startswith("+"):
        return now + duration(word[1:])
    from datetime import datetime, time, timedelta  # only where a moment was typed

    try:
        clock = time.fromisoformat(word)
    except ValueError:
        clock = None
    if clock is not None and clock.tzinfo is None and ":" in word:
        today = datetime.fromtimestamp(now).date()
        moments = (datetime.combine(today + timedelta(days), clock) for days in (0, 1))
        return next(at for at in map(datetime.timestamp, moments) if at >= now)
    try:
        return datetime.fromisoformat(_offset(word)).timestamp()
    except (ValueError, OverflowError):
        raise WrongUsage(f"--begin `{word}` is no moment; {_HINT}") from None


def _offset(word: str) -> str:
    # Python 3.10 knows no Z.
    return f"{word[:-1]}+00:00" if word.endswith("Z") else word
