"""All resources of the scheduler together: a request gets its whole vector or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from hsched.core.model import Allocation, Resource
from hsched.core.slots import MeasuredPool, NumberedPool, Pool
from hsched.core.spec import format_amount
from hsched.errors import NotEnoughSlots, SlotNotHeld


class Inventory:
    """A pool for each resource; what they give out and take back are whole vectors."""

    __slots__ = ("pools", "resources")

    def __init__(self, resources: Iterable[Resource]) -> None:
        #: The resources, with their capacities as of now.
        self.resources = tuple(resources)
        self.pools: tuple[Pool, ...] = tuple(
            NumberedPool(r.capacity) if r.numbered else MeasuredPool(r.capacity)
            for r in self.resources
        )

    @property
    def free(self) -> tuple[int, ...]:
        """What could go out now, per resource."""
        return tuple([pool.free for pool in self.pools])

    @property
    def usable(self) -> tuple[int, ...]:
        """What could go out if every job ended now, per resource."""
        return tuple([pool.usable for pool in self.pools])

    @property
    def headroom(self) -> tuple[int, ...]:
        """Like :attr:`free`, but negative where a lowered capacity is overdrawn."""
        return tuple([pool.headroom for pool in self.pools])

    def acquire(self, amounts: Sequence[int]) -> Allocation:
        """Take ``amounts``, one per resource, lowest slots first.

        Raises:
            NotEnoughSlots: some resource has less free; nothing was taken.
        """
        for resource, pool, amount in zip(self.resources, self.pools, amounts, strict=True):
            if not 0 <= amount <= pool.free:
                raise NotEnoughSlots(f"{amount} {resource.name} asked for, {pool.free} free")
        slots = [pool.acquire(amount) for pool, amount in zip(self.pools, amounts, strict=True)]
        return Allocation(tuple(slots), tuple(amounts))

    def retake(self, allocations: Sequence[Allocation]) -> None:
        """Take exactly ``allocations``, all or none, for jobs that have them already.

        Raises:
            NotEnoughSlots: a slot is held already, or there twice; nothing was taken.
        """
        taken: list[list[int]] = []
        for allocation in allocations:
            holdings = self._holdings(allocation)
            if not all(map(_can_retake, self.pools, holdings)):
                for done in taken:
                    self._release(done)
                raise NotEnoughSlots(f"{allocation} overlaps what is held, or is malformed")
            for pool, holding in zip(self.pools, holdings, strict=True):
                pool.retake(holding)
            taken.append(holdings)

    def release(self, allocation: Allocation) -> None:
        """Give back what :meth:`acquire` returned.

        Raises:
            SlotNotHeld: some of it is not held; nothing was given back.
        """
        holdings = self._holdings(allocation)
        if not all(map(_can_release, self.pools, holdings)):
            raise SlotNotHeld(f"{allocation} is not held")
        self._release(holdings)

    def returned(self, allocation: Allocation) -> list[int]:
        """Return what releasing ``allocation`` would add to :attr:`headroom`."""
        parts = zip(self.pools, allocation.slots, allocation.amounts, strict=True)
        return [pool.returned(slots, amount) for pool, slots, amount in parts]

    def resize(self, capacities: Sequence[int]) -> None:
        """Set the totals, one per resource; jobs keep what they hold."""
        self.resources = tuple(
            replace(resource, capacity=capacity)
            for resource, capacity in zip(self.resources, capacities, strict=True)
        )
        for pool, capacity in zip(self.pools, capacities, strict=True):
            pool.resize(capacity)

    def drain(self, resource: int, slots: Iterable[int], back: bool) -> None:
        """Take slots of a numbered resource out of use, or put them ``back``."""
        pool = self.pools[resource]
        assert isinstance(pool, NumberedPool), "an amount has no slots"
        pool.drain(slots, back)

    def shortage(self, amounts: Sequence[int]) -> str:
        """Say which resource has not even the capacity for ``amounts``; empty if all have."""
        for resource, amount in zip(self.resources, amounts, strict=True):
            if amount > resource.capacity:
                needed, there = format_amount(resource, amount), format_amount(resource)
                return f"needs {needed} {resource.name}, there are now {there}"
        return ""

    def check(self) -> None:
        """Assert that all pools are consistent."""
        for pool in self.pools:
            pool.check()

    def _holdings(self, allocation: Allocation) -> list[int]:
        # What each pool makes of its part; -1 stands for a part that makes no sense.
        if not len(allocation.slots) == len(allocation.amounts) == len(self.pools):
            return [-1] * len(self.pools)
        parts = zip(self.pools, allocation.slots, allocation.amounts, strict=True)
        return [pool.holding(slots, amount) for pool, slots, amount in parts]

    def _release(self, holdings: Iterable[int]) -> None:
        for pool, holding in zip(self.pools, holdings, strict=True):
            pool.release(holding)


def _can_retake(pool: Pool, holding: int) -> bool:
    return holding >= 0 and pool.can_retake(holding)


def _can_release(pool: Pool, holding: int) -> bool:
    return holding >= 0 and pool.can_release(holding)
