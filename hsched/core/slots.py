"""Slot pools: the counting semaphore behind each resource.

Pools are plain data.  They never block, sleep, log or read a clock: a request
that does not fit is refused, and the queue decides who tries again.  Slots go
out lowest index first, so the same calls in the same order give the same slots.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import compress, count, islice

from hsched.core.counted import CountedPool
from hsched.core.relative import RelativePool

#: The most slots that a numbered resource can have; measured ones have no such bound.
MAX_SLOTS = 16_384

#: For more slots than this at once, another way than bit by bit is faster.
_FEW = 8

#: Turns the digits of a binary number into what is false and true.
_TRUTH = bytes.maketrans(b"01", b"\0\1")


class NumberedPool:
    """A counting semaphore whose units have indices.

    A slot below :attr:`capacity` is free, held or drained (out of use; a holder
    keeps it to its end).  A held slot at or above the capacity is *retiring*: its
    job keeps it, then it is gone.  A slot may also be *shared* by jobs that hold none
    of it as a whole, or *occupied* by somebody who is no job; it is not free then.
    Each set is one integer, a bit for a slot.
    """

    __slots__ = (
        "_drained",
        "_free",
        "_held",
        "_near",
        "_occupied",
        "_shared",
        "capacity",
        "free",
        "usable",
    )

    def __init__(self, capacity: int, near: tuple[int, ...] = ()) -> None:
        """``near`` are sets of slots, a bit each, of which one job has the slots of one if it can.

        Slots that are near each other make a job faster, and of those it gets the lowest.
        """
        self._near = near
        self._held = 0
        self._drained = 0
        self._shared = 0
        self._occupied = 0
        self.resize(capacity)

    @property
    def held(self) -> int:
        """Slots that belong to jobs, retiring ones included."""
        return self._held.bit_count()

    @property
    def retiring(self) -> int:
        """Held slots that are gone when their jobs end."""
        return (self._held >> self.capacity).bit_count()

    @property
    def drained(self) -> tuple[int, ...]:
        """Indices of the slots out of use, held or not."""
        below = self._drained & ((1 << self.capacity) - 1)
        return _lowest(below, below.bit_count())

    @property
    def headroom(self) -> int:
        """Slots free now; with what :meth:`returned` says, those free later."""
        return self.free

    @property
    def sets(self) -> tuple[int, int, int]:
        """The slots in use below the capacity, those held, and those occupied, a bit each."""
        return ((1 << self.capacity) - 1) & ~self._drained, self._held, self._occupied

    def acquire(self, amount: int) -> tuple[int, ...]:
        """Take the ``amount`` lowest free slots, which the caller knows to be free."""
        if not amount:
            return ()
        free = self._free_near(amount) if self._near else self._free
        taken = _lowest(free, amount)
        mask = free & ((2 << taken[-1]) - 1)
        self._free ^= mask
        self._held |= mask
        self.free -= amount
        return taken

    def holding(self, slots: tuple[int, ...], amount: int) -> int:
        """Return ``slots`` as this pool keeps them, to pass below; -1 if that is no holding."""
        if not slots and not amount:
            return 0
        if len(slots) != amount or min(slots) < 0 or max(slots) >= MAX_SLOTS:
            return -1
        mask = _mask(slots)
        return mask if mask.bit_count() == amount else -1

    def can_retake(self, holding: int) -> bool:
        """Whether nobody holds or shares any of it; it may be retiring."""
        return not holding & (self._held | self._shared)

    def retake(self, holding: int) -> None:
        """Take exactly this, which the caller knows to be held by nobody."""
        self._held |= holding
        self._recount()

    def can_release(self, holding: int) -> bool:
        """Whether all of it is held."""
        return not holding & ~self._held

    def release(self, holding: int) -> None:
        """Give back what the caller knows to be held; retiring slots are gone."""
        self._held ^= holding
        back = holding & ~(self._drained | self._occupied) & ((1 << self.capacity) - 1)
        self._free |= back
        self.free += back.bit_count()

    def returned(self, slots: tuple[int, ...], amount: int) -> int:
        """Return how many of these held slots will be free once they are released."""
        if self.usable == self.capacity and not self._held >> self.capacity:
            return amount
        out = self._drained | self._occupied
        return (_mask(slots) & ~out & ((1 << self.capacity) - 1)).bit_count()

    def resize(self, capacity: int) -> None:
        """Set the number of slots, 0 to :data:`MAX_SLOTS`; jobs keep what they hold."""
        self.capacity = capacity
        self._recount()

    def drain(self, slots: Iterable[int], back: bool) -> None:
        """Take slots out of use, or put them ``back``; holders keep theirs."""
        mask = _mask(tuple(slots))
        self._drained = self._drained & ~mask if back else self._drained | mask
        self._recount()

    def share(self, mask: int) -> None:
        """Note which slots are shared: exactly those in ``mask``."""
        self._shared = mask
        self._recount()

    def occupy(self, mask: int) -> None:
        """Note which slots somebody else occupies: exactly those in ``mask``."""
        self._occupied = mask
        self._recount()

    def _free_near(self, amount: int) -> int:
        # The free slots of the fullest set that has so many; all where none has.
        parts = (self._free & one for one in self._near)
        fitting = [(part.bit_count(), part) for part in parts if part.bit_count() >= amount]
        return min(fitting)[1] if fitting else self._free

    def _recount(self) -> None:
        usable = ((1 << self.capacity) - 1) & ~(self._drained | self._occupied)
        self._free = usable & ~(self._held | self._shared)
        #: Slots that could go out now, and those that could if every job ended now.
        self.free = self._free.bit_count()
        self.usable = usable.bit_count()

    def check(self) -> None:
        """Assert that every slot is accounted for, once."""
        out = self._drained | self._shared | self._occupied
        idle = out & ~self._held & ((1 << self.capacity) - 1)
        assert not self._free & (self._held | out), "a free slot is held or drained"
        assert not self._held & self._shared, "a slot is held as a whole, and shared"
        assert self.free == self._free.bit_count(), "free slots are miscounted"
        assert self.free + self.held + idle.bit_count() == self.capacity + self.retiring


class MeasuredPool(CountedPool):
    """A counting semaphore whose units have no indices: an amount of something."""

    __slots__ = ()

    @property
    def free(self) -> int:
        """What could go out now; 0 while a lowered capacity is overdrawn."""
        return max(0, self.headroom)

    @property
    def headroom(self) -> int:
        """Capacity less what is held; negative while a lowered capacity is overdrawn."""
        return self.capacity - self.held

    @property
    def retiring(self) -> int:
        """What is held beyond the capacity and gone when jobs end."""
        return max(0, -self.headroom)

    def acquire(self, amount: int) -> tuple[int, ...]:
        """Take ``amount``, which the caller knows to be free."""
        self.held += amount
        return ()

    def holding(self, slots: tuple[int, ...], amount: int) -> int:
        """Return the amount, to pass below; -1 if that is no holding."""
        return -1 if slots or amount < 0 else amount

    def returned(self, slots: tuple[int, ...], amount: int) -> int:
        """Return what releasing ``amount`` adds to the headroom: all of it."""
        return amount

    def check(self) -> None:
        """Assert that every unit is accounted for, once."""
        super().check()
        assert self.free + self.held == self.capacity + self.retiring


#: What stands behind one resource.
Pool = NumberedPool | MeasuredPool | RelativePool


def _lowest(mask: int, amount: int) -> tuple[int, ...]:
    if amount > _FEW:
        digits = bin(mask)[:1:-1].encode().translate(_TRUTH)
        return tuple(islice(compress(count(), digits), amount))
    found = []
    for _ in range(amount):
        lowest = mask & -mask
        found.append(lowest.bit_length() - 1)
        mask ^= lowest
    return tuple(found)


def _mask(slots: tuple[int, ...]) -> int:
    if len(slots) <= _FEW:
        mask = 0
        for slot in slots:
            mask |= 1 << slot
        return mask
    first, length = slots[0], len(slots)
    if slots == tuple(range(first, first + length)):
        return ((1 << length) - 1) << first
    octets = bytearray((max(slots) >> 3) + 1)
    for slot in slots:
        octets[slot >> 3] |= 1 << (slot & 7)
    return int.from_bytes(octets, "little")
