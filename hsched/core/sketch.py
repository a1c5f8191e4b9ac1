"""A sketch of the inventory, to play on: what is free once these jobs have ended?"""

from __future__ import annotations

from typing import NamedTuple

from hsched.core.inventory import Inventory
from hsched.core.model import Allocation, Request


class Part(NamedTuple):
    """What comes back when a job ends: amounts, devices held as a whole, and shares."""

    amounts: tuple[int, ...]
    whole: tuple[int, ...] = ()
    devices: tuple[int, ...] = ()
    memory: int = 0


class Sketch:
    """What could go out, beginning with what can now; the inventory stays as it is."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        #: What is free per resource; negative where a lowered capacity is overdrawn.
        self.headroom = list(inventory.headroom)
        self._devices = None if inventory.devices is None else inventory.devices.copy()
        self._shareable = inventory.shareable

    def part(self, allocation: Allocation) -> Part:
        """Return what comes back once ``allocation`` is released."""
        devices = self._devices
        position = None if devices is None else devices.position
        whole = () if position is None else allocation.slots[position]
        amounts = tuple(self._inventory.returned(allocation))
        return Part(amounts, whole, allocation.devices, allocation.memory)

    def release(self, part: Part) -> None:
        """Let what a job holds come back."""
        for resource, amount in enumerate(part.amounts):
            self.headroom[resource] += amount
        if self._devices is None:
            return
        for device in part.whole:
            self._shareable |= 1 << device & self._inventory.in_use
        if part.devices:
            before = self._whole_free()
            self._devices.release(part.devices, part.memory)
            self._count(self._whole_free() - before)

    def fits(self, request: Request) -> bool:
        """Whether ``request`` could be met."""
        for need, have in zip(request.amounts, self.headroom, strict=True):
            if need > max(0, have):
                return False
        devices = self._devices
        return not request.devices or (
            devices is not None and devices.fits(request.devices, request.memory, self._shareable)
        )

    def take(self, request: Request) -> Part:
        """Let a job that fits hold what it asks for; return what it gives back."""
        for resource, amount in enumerate(request.amounts):
            self.headroom[resource] -= amount
        devices = self._devices
        if devices is None:
            return Part(request.amounts)
        whole = self._take_whole(
            0 if devices.position is None else request.amounts[devices.position]
        )
        if not request.devices:
            return Part(request.amounts, whole)
        before = self._whole_free()
        chosen = devices.choose(request.devices, request.memory, self._shareable)
        devices.claim(chosen, request.memory)
        self._count(self._whole_free() - before)
        return Part(request.amounts, whole, chosen, request.memory)

    def _take_whole(self, count: int) -> tuple[int, ...]:
        free = self._whole_mask()
        taken: list[int] = []
        while len(taken) < count and free:
            lowest = free & -free
            taken.append(lowest.bit_length() - 1)
            free ^= lowest
            self._shareable ^= lowest
        return tuple(taken)

    def _whole_mask(self) -> int:
        assert self._devices is not None, "no devices to hold"
        return self._shareable & ~(self._devices.shared | self._devices.occupied)

    def _whole_free(self) -> int:
        return self._whole_mask().bit_count()

    def _count(self, more: int) -> None:
        # So many devices are whole again, or no more, for a share was given back or taken.
        if self._devices is not None and self._devices.position is not None:
            self.headroom[self._devices.position] += more
