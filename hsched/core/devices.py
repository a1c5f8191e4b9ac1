"""Devices that jobs share by memory: GPUs, or the machine itself where there are none.

A job that asks for memory claims a share of so many different devices.  Claims on a
device go together while its memory lasts; what outsiders use of it is nobody's to claim.
A device that a job holds as a whole has no shares, and the other way round.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from hsched.core.model import Request, Resource, Sharing
from hsched.errors import WrongUsage

#: So many devices with so much memory each can be had; () where there are none to share.
Corner = tuple[int, ...]

#: Where nothing of a device can be had.
NOTHING: tuple[Corner, ...] = ((0, 0),)


class Devices:
    """The memory of each device: what jobs claim, and what outsiders use.

    Which devices are in use at all, and which are held as a whole, the caller says, by
    a bit for each (see :attr:`~hsched.core.slots.NumberedPool.sets`).
    """

    __slots__ = ("claimed", "memory", "occupants", "outside", "position", "sharers")

    def __init__(self, sharing: Sharing) -> None:
        #: Position of the resource whose slots the devices are; None for the machine.
        self.position = sharing.position
        self.memory = sharing.memory
        self.claimed = [0] * len(self.memory)
        #: How many jobs share each device.
        self.sharers = [0] * len(self.memory)
        #: Bytes of each that belong to nobody of ours.
        self.outside = [0] * len(self.memory)
        #: Why each cannot be had as a whole, in a clause; empty where it can.
        self.occupants = [""] * len(self.memory)

    def copy(self) -> Devices:
        """Return the same, to play on with."""
        fresh = Devices(Sharing(self.memory, self.position))
        fresh.claimed, fresh.sharers = self.claimed[:], self.sharers[:]
        fresh.outside, fresh.occupants = self.outside, self.occupants
        return fresh

    @property
    def shared(self) -> int:
        """The devices that some job shares, a bit each."""
        return _mask(device for device, count in enumerate(self.sharers) if count)

    @property
    def occupied(self) -> int:
        """The devices that outsiders occupy, a bit each."""
        return _mask(device for device, why in enumerate(self.occupants) if why)

    def see(self, outside: Sequence[int], occupants: Sequence[str]) -> None:
        """Note what outsiders use; devices that are not mentioned have none."""
        missing = len(self.memory) - len(outside)
        self.outside = [*outside, *[0] * missing][: len(self.memory)]
        self.occupants = [*occupants, *[""] * missing][: len(self.memory)]

    def left(self, device: int) -> int:
        """Return how many bytes of a device can be claimed now; negative if overdrawn."""
        return self.memory[device] - self.claimed[device] - self.outside[device]

    def corners(self, usable: int) -> tuple[Corner, ...]:
        """Return how many of the ``usable`` devices have how much left, as pairs.

        A request fits if one of the pairs is nowhere below it.
        """
        return corners(self.left(device) for device in self._in(usable))

    def corners_without_outsiders(self, usable: int) -> tuple[Corner, ...]:
        """Return what there would be now if no outsider used anything."""
        return corners(self.memory[d] - self.claimed[d] for d in self._in(usable))

    def corners_without_jobs(self, usable: int) -> tuple[Corner, ...]:
        """Return what there would be if every job ended now."""
        return corners(self.memory[d] - self.outside[d] for d in self._in(usable))

    def fits(self, count: int, memory: int, usable: int) -> bool:
        """Whether ``count`` of the ``usable`` devices have ``memory`` left now."""
        return sum(max(0, self.left(d)) >= memory for d in self._in(usable)) >= count

    def choose(self, count: int, memory: int, usable: int) -> tuple[int, ...]:
        """Return the devices that a claim goes to: those with the least left that have it.

        So devices that nobody shares yet stay whole as long as possible.
        """
        fitting = [(self.left(d), d) for d in self._in(usable) if max(0, self.left(d)) >= memory]
        return tuple(sorted(device for _, device in sorted(fitting)[:count]))

    def claim(self, devices: Iterable[int], memory: int) -> None:
        """Claim ``memory`` bytes of each of ``devices``, free or not."""
        for device in devices:
            self.claimed[device] += memory
            self.sharers[device] += 1

    def can_release(self, devices: Iterable[int], memory: int) -> bool:
        """Whether as much is claimed of each."""
        return all(
            self.has((device,)) and self.sharers[device] and self.claimed[device] >= memory
            for device in devices
        )

    def release(self, devices: Iterable[int], memory: int) -> None:
        """Give back what :meth:`claim` took."""
        for device in devices:
            self.claimed[device] -= memory
            self.sharers[device] -= 1

    def has(self, devices: Iterable[int]) -> bool:
        """Whether there are such devices."""
        return all(0 <= device < len(self.memory) for device in devices)

    def most(self, count: int, capacity: int | None) -> int:
        """Return how much memory ``count`` devices have each at the most; -1 for too few."""
        there = sorted(self.memory[:capacity], reverse=True)
        return there[count - 1] if count <= len(there) else -1

    def check(self) -> None:
        """Assert that nothing is claimed by nobody."""
        for device, claimed in enumerate(self.claimed):
            assert claimed >= 0 <= self.sharers[device], "more was released than was claimed"
            assert self.sharers[device] or not claimed, f"device {device} is claimed by nobody"

    def _in(self, usable: int) -> Iterator[int]:
        return (device for device in range(len(self.memory)) if usable >> device & 1)


#: The resource whose slots are GPUs.
GPUS = "gpus"


def with_devices(
    request: Request,
    wish: tuple[int, int, float],
    resources: Sequence[Resource],
    sharing: Sharing | None,
) -> Request:
    """Return ``request`` with devices besides: so many, with so many bytes or such a share of each.

    Without memory they are whole GPUs, or just there where the machine is the one device.

    Raises:
        WrongUsage: a number is negative, a share is above 1, or both memory and share are given.
    """
    count, memory, share = wish
    if min(count, memory, share) < 0 or share > 1 or (memory and share):
        raise WrongUsage(f"{count} devices with {memory} bytes or a share of {share:g} each")
    if not (count or memory or share):
        return request
    known = sharing.memory if sharing is not None else ()
    if memory or share:
        # Of the largest, so that nobody is promised more of a device than it has.
        memory = memory or max(1, int(share * max(known, default=0)))
        return replace(request, devices=count or 1, memory=memory)
    gpus = next((i for i, one in enumerate(resources) if one.name == GPUS and one.numbered), None)
    if gpus is None or not resources[gpus].capacity:
        return replace(request, devices=count)
    amounts = list(request.amounts)
    amounts[gpus] = max(amounts[gpus], count)
    return replace(request, amounts=tuple(amounts))


def corners(left: Iterable[int]) -> tuple[Corner, ...]:
    """Return pairs: so many devices have at least so much left."""
    found: list[Corner] = []
    for count, memory in enumerate(sorted((max(0, one) for one in left), reverse=True), start=1):
        if found and found[-1][1] == memory:
            found.pop()
        found.append((count, memory))
    return tuple(found) or NOTHING


def _mask(devices: Iterable[int]) -> int:
    mask = 0
    for device in devices:
        mask |= 1 << device
    return mask
