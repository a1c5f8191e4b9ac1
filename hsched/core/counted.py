"""What the pools have in common whose units have no indices here: an amount that is held."""

from __future__ import annotations


class CountedPool:
    """Counts what jobs hold; how much of it can go out, each pool says itself."""

    __slots__ = ("capacity", "held")

    #: No slot of it could be taken out of use.
    drained = ()

    def __init__(self, capacity: int) -> None:
        self.held = 0
        self.capacity = capacity

    @property
    def usable(self) -> int:
        """What one job could get if every job ended now."""
        return self.capacity

    def can_retake(self, holding: int) -> bool:
        """Whether it may be taken again: always, for a lowered capacity may be overdrawn."""
        return True

    def retake(self, holding: int) -> None:
        """Take exactly this, free or not: its job has it already."""
        self.held += holding

    def can_release(self, holding: int) -> bool:
        """Whether as much as this is held."""
        return holding <= self.held

    def release(self, holding: int) -> None:
        """Give back what the caller knows to be held."""
        self.held -= holding

    def resize(self, capacity: int) -> None:
        """Set the total; jobs keep what they hold."""
        self.capacity = capacity

    def check(self) -> None:
        """Assert that no more was given back than was taken."""
        assert self.held >= 0, "more was released than was held"
