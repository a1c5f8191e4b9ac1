"""All resources of the scheduler together: a request gets its whole vector or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from hsched.core.devices import NOTHING, Corner, Devices
from hsched.core.model import Allocation, Request, Resource, Sharing
from hsched.core.relative import RelativePool
from hsched.core.slots import MeasuredPool, NumberedPool, Pool
from hsched.core.spec import format_amount, format_bytes
from hsched.errors import NotEnoughSlots, SlotNotHeld

#: The machine as the one device: it is always in use.
_MACHINE = 1


class Inventory:
    """A pool for each resource; what they give out and take back are whole vectors."""

    __slots__ = ("devices", "pools", "resources")

    def __init__(
        self,
        resources: Iterable[Resource],
        sharing: Sharing | None = None,
        near: Mapping[int, tuple[int, ...]] | None = None,
        elsewhere: bool = False,
    ) -> None:
        """``near`` has the slots that are near each other, by position of their resource.

        Pools of resources that are given out ``elsewhere`` only count.
        """
        #: The resources, with their capacities as of now.
        self.resources = tuple(resources)
        self.pools: tuple[Pool, ...] = tuple(
            RelativePool(r.capacity, r.numbered)
            if elsewhere
            else NumberedPool(r.capacity, (near or {}).get(i, ()))
            if r.numbered
            else MeasuredPool(r.capacity)
            for i, r in enumerate(self.resources)
        )
        #: The devices that jobs can share; None where there are none.
        self.devices = None if sharing is None else Devices(sharing)

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

    @property
    def shareable(self) -> int:
        """The devices that a share can be had of now, for what is left of them; a bit each."""
        pool = self._device_pool()
        return _MACHINE if pool is None else pool.sets[0] & ~pool.sets[1]

    @property
    def in_use(self) -> int:
        """The devices that a share can be had of if every job ended now, a bit each."""
        pool = self._device_pool()
        return _MACHINE if pool is None else pool.sets[0]

    def fits(self, request: Request) -> bool:
        """Whether ``request`` can be met now."""
        for pool, amount in zip(self.pools, request.amounts, strict=True):
            if amount > pool.free:
                return False
        if not request.devices:
            return True
        devices = self.devices
        return devices is not None and devices.fits(request.devices, request.memory, self.shareable)

    def fits_without_jobs(self, request: Request) -> bool:
        """Whether ``request`` could be met if every job ended now."""
        if any(a > pool.usable for pool, a in zip(self.pools, request.amounts, strict=True)):
            return False
        wanted = (request.devices, request.memory)
        return not request.devices or any(
            wanted[0] <= count and wanted[1] <= memory
            for count, memory in self.corners_without_jobs()
        )

    def corners(self) -> tuple[Corner, ...]:
        """Return what can be had of shared devices now, as part of a limit."""
        return ((),) if self.devices is None else self.devices.corners(self.shareable)

    def corners_without_jobs(self) -> tuple[Corner, ...]:
        """Return what could be had of shared devices if every job ended now."""
        if self.devices is None:
            return ((),)
        return self.devices.corners_without_jobs(self.in_use)

    def without_outsiders(self) -> tuple[tuple[int, ...], tuple[Corner, ...]]:
        """Return what could go out now, and be had of shared devices, were there no outsiders."""
        if self.devices is None:
            return self.free, ((),)
        free = list(self.free)
        if self.devices.position is not None:
            whole = self.shareable & ~self.devices.shared
            free[self.devices.position] = whole.bit_count()
        return tuple(free), self.devices.corners_without_outsiders(self.shareable)

    @property
    def no_corners(self) -> tuple[Corner, ...]:
        """What can be had of shared devices where nothing may."""
        return ((),) if self.devices is None else NOTHING

    def acquire(self, amounts: Sequence[int], devices: int = 0, memory: int = 0) -> Allocation:
        """Take ``amounts``, one per resource, lowest slots first, and shares of ``devices``.

        Raises:
            NotEnoughSlots: some resource has less free; nothing was taken.
        """
        if not self.fits(Request(tuple(amounts), devices, memory)):
            devices_too = f" and {memory} on {devices} devices" if devices else ""
            raise NotEnoughSlots(f"{tuple(amounts)}{devices_too} asked for, {self.free} free")
        if min(amounts, default=0) < 0:
            raise NotEnoughSlots(f"{tuple(amounts)} asked for")
        slots = [pool.acquire(amount) for pool, amount in zip(self.pools, amounts, strict=True)]
        if not devices or self.devices is None:
            return Allocation(tuple(slots), tuple(amounts))
        chosen = self.devices.choose(devices, memory, self.shareable)
        allocation = Allocation(tuple(slots), tuple(amounts), chosen, memory)
        self._claim(allocation)
        return allocation

    def retake(self, allocations: Sequence[Allocation]) -> None:
        """Take exactly ``allocations``, all or none, for jobs that have them already.

        Raises:
            NotEnoughSlots: a slot is held already, or there twice; nothing was taken.
        """
        taken: list[tuple[Allocation, list[int]]] = []
        for allocation in allocations:
            holdings = self._holdings(allocation)
            if not (all(map(_can_retake, self.pools, holdings)) and self._can_claim(allocation)):
                for done in taken:
                    self._release(*done)
                raise NotEnoughSlots(f"{allocation} overlaps what is held, or is malformed")
            for pool, holding in zip(self.pools, holdings, strict=True):
                pool.retake(holding)
            self._claim(allocation)
            taken.append((allocation, holdings))

    def release(self, allocation: Allocation) -> None:
        """Give back what :meth:`acquire` returned.

        Raises:
            SlotNotHeld: some of it is not held; nothing was given back.
        """
        holdings = self._holdings(allocation)
        devices = self.devices
        is_claimed = not allocation.devices or (
            devices is not None and devices.can_release(allocation.devices, allocation.memory)
        )
        if not (all(map(_can_release, self.pools, holdings)) and is_claimed):
            raise SlotNotHeld(f"{allocation} is not held")
        self._release(allocation, holdings)

    def gives_back(self, amounts: Sequence[int]) -> bool:
        """Return whether every slot of the resources among ``amounts`` goes out again."""
        for pool, amount in zip(self.pools, amounts, strict=True):
            if amount and (pool.usable < pool.capacity or pool.retiring):
                return False
        return True

    def see(self, outside: Sequence[int], occupants: Sequence[str]) -> None:
        """Note what outsiders use of each device, in bytes, and why it cannot be had whole."""
        if self.devices is not None:
            self.devices.see(outside, occupants)
            pool = self._device_pool()
            if pool is not None:
                pool.occupy(self.devices.occupied)

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

    def shortage(self, request: Request) -> str:
        """Say which resource has not even the capacity for ``request``; empty if all have."""
        for resource, amount in zip(self.resources, request.amounts, strict=True):
            if amount > resource.capacity:
                needed, there = format_amount(resource, amount), format_amount(resource)
                return f"needs {needed} {resource.name}, there are now {there}"
        return self._shortage_of_devices(request) if request.devices else ""

    def device_name(self, device: int) -> str:
        """Return what people call a device: the slot that it is, or the machine."""
        assert self.devices is not None, "no devices to name"
        position = self.devices.position
        return "the machine" if position is None else f"{self.resources[position].name}:{device}"

    def wanted_devices(self, request: Request) -> str:
        """Say what ``request`` wants of shared devices: ``20000M on each of 2 gpus``."""
        assert self.devices is not None, "no devices to share"
        memory, position = format_bytes(request.memory), self.devices.position
        if position is None:
            devices = "1 device" if request.devices == 1 else f"{request.devices} devices"
            return f"{memory} on {devices}" if request.memory else devices
        each = "" if request.devices == 1 else "each of "
        return f"{memory} on {each}{request.devices} {self.resources[position].name}"

    def check(self) -> None:
        """Assert that all pools are consistent."""
        for pool in self.pools:
            pool.check()
        if self.devices is not None:
            self.devices.check()
            behind = self._device_pool()
            if behind is not None:
                assert not self.devices.shared & behind.sets[1], "a device is whole and shared"

    def _device_pool(self) -> NumberedPool | None:
        # The pool whose slots are the devices; None if the machine is the device.
        if self.devices is None or self.devices.position is None:
            return None
        pool = self.pools[self.devices.position]
        assert isinstance(pool, NumberedPool), "devices are the slots of a numbered resource"
        return pool

    def _shortage_of_devices(self, request: Request) -> str:
        devices, pool = self.devices, self._device_pool()
        if devices is None or not devices.memory:
            return "asks for memory on devices, and nobody knows how much these have"
        capacity = len(devices.memory) if pool is None else pool.capacity
        most = devices.most(request.devices, capacity)
        if most < 0:
            there = "there is 1, the machine" if pool is None else f"there are now {capacity}"
            return f"needs {self.wanted_devices(request)}, {there}"
        if request.memory > most:
            how_many = "the machine has" if pool is None else "so many have at the most"
            return f"needs {self.wanted_devices(request)}, {how_many} {format_bytes(most)}"
        return ""

    def _can_claim(self, allocation: Allocation) -> bool:
        if not allocation.devices:
            return True
        devices, pool = self.devices, self._device_pool()
        if devices is None or not devices.has(allocation.devices):
            return False
        whole = 0 if pool is None else pool.sets[1]
        is_whole = any(whole >> device & 1 for device in allocation.devices)
        return not is_whole and len(set(allocation.devices)) == len(allocation.devices)

    def _claim(self, allocation: Allocation) -> None:
        if allocation.devices and self.devices is not None:
            self.devices.claim(allocation.devices, allocation.memory)
            self._tell_shared()

    def _tell_shared(self) -> None:
        pool = self._device_pool()
        if pool is not None and self.devices is not None:
            pool.share(self.devices.shared)

    def _holdings(self, allocation: Allocation) -> list[int]:
        # What each pool makes of its part; -1 stands for a part that makes no sense.
        if not len(allocation.slots) == len(allocation.amounts) == len(self.pools):
            return [-1] * len(self.pools)
        parts = zip(self.pools, allocation.slots, allocation.amounts, strict=True)
        return [pool.holding(slots, amount) for pool, slots, amount in parts]

    def _release(self, allocation: Allocation, holdings: Iterable[int]) -> None:
        for pool, holding in zip(self.pools, holdings, strict=True):
            pool.release(holding)
        if allocation.devices and self.devices is not None:
            self.devices.release(allocation.devices, allocation.memory)
            self._tell_shared()


def _can_retake(pool: Pool, holding: int) -> bool:
    return holding >= 0 and pool.can_retake(holding)


def _can_release(pool: Pool, holding: int) -> bool:
    return holding >= 0 and pool.can_release(holding)
