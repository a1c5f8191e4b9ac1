"""The pool of a resource that another scheduler gives out.

Which slots a job holds is known where it runs, and how many are free is not known here.
So every job counts its slots from 0, and the capacity bounds what one job can ask for.
"""

from __future__ import annotations

from hsched.core.counted import CountedPool


class RelativePool(CountedPool):
    """Counts what jobs hold, and has enough for each of them.

    Where it is ``numbered``, a job that holds N has the slots 0 to N - 1.
    """

    __slots__ = ("_numbered",)

    #: Nothing is ever held beyond what there is: nobody here knows how much that is.
    retiring = 0

    def __init__(self, capacity: int, numbered: bool) -> None:
        """``capacity`` is what one job can ask for at the most."""
        super().__init__(capacity)
        self._numbered = numbered

    @property
    def free(self) -> int:
        """What one more job could get, as far as anybody here knows."""
        return self.capacity

    @property
    def headroom(self) -> int:
        """The same as :attr:`free`."""
        return self.capacity

    def acquire(self, amount: int) -> tuple[int, ...]:
        """Take ``amount``."""
        self.held += amount
        return tuple(range(amount)) if self._numbered else ()

    def holding(self, slots: tuple[int, ...], amount: int) -> int:
        """Return the amount, to pass below; -1 if that is no holding."""
        expected = tuple(range(amount)) if self._numbered else ()
        return amount if amount >= 0 and slots == expected else -1

    def returned(self, slots: tuple[int, ...], amount: int) -> int:
        """Return what releasing ``amount`` adds to what one job can get: nothing."""
        return 0
