"""Which devices the slots are."""

from __future__ import annotations

import os
from collections.abc import Sequence

from hsched.core.devices import GPUS
from hsched.core.model import Resource, Sharing


def sharing_of(resources: Sequence[Resource]) -> Sharing:
    """Return the devices that jobs can share: GPUs, or the machine where there are none."""
    for position, resource in enumerate(resources):
        if resource.name == GPUS and resource.numbered and resource.capacity:
            return Sharing((), position)
    return Sharing((machine_memory(),))


def machine_memory() -> int:
    """Return the bytes of memory that this machine has."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
