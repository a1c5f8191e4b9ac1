"""Where a job runs: the words of its GPUs, and the cores that its slots are.

``--pin`` ties the slots of ``cores`` to the processors of this machine, those of one NUMA
node beside each other, so that neighbouring slots are near.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence

from hsched.core.model import Allocation, Resource

#: The resource whose slots are processors.
CORES = "cores"

#: What programs read to learn how many threads to start.
THREADS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "JULIA_NUM_THREADS",
)

_NODES = "/sys/devices/system/node"


class Placement:
    """What the slots of this scheduler are, for the jobs that get them."""

    def __init__(self, cpus: Sequence[int] = ()) -> None:
        #: What stands for each GPU in CUDA_VISIBLE_DEVICES, by slot.
        self.cuda: tuple[str, ...] = ()
        #: The processor that each slot of ``cores`` is; () where jobs run on all.
        self.cpus = tuple(cpus)

    def pinned(self, resources: Sequence[Resource], held: Allocation) -> tuple[int, ...]:
        """Return the processors that a job may run on; () for all."""
        for resource, slots in zip(resources, held.slots, strict=True):
            if resource.name == CORES and resource.numbered and self.cpus:
                return tuple(sorted({self.cpus[slot % len(self.cpus)] for slot in slots}))
        return ()


def threads(count: int) -> dict[str, str]:
    """Return the variables that tell programs to start ``count`` threads."""
    return dict.fromkeys(THREADS, str(count))


def affinity(cpus: Sequence[int]) -> str | None:
    """Return processors as a plan has them: ``0-3,5``; None for all."""
    spans: list[list[int]] = []
    for cpu in cpus:
        if spans and spans[-1][1] == cpu - 1:
            spans[-1][1] = cpu
        else:
            spans.append([cpu, cpu])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in spans) or None


def near_first(usable: Iterable[int], folder: str = _NODES) -> list[list[int]]:
    """Return the processors that we may use, by NUMA node; one list where there are no nodes."""
    left = set(usable)
    found: list[list[int]] = []
    for name in sorted(_nodes(folder), key=lambda name: int(name[4:])):
        with contextlib.suppress(OSError, ValueError):
            with open(os.path.join(folder, name, "cpulist"), encoding="ascii") as file:
                mine = sorted(left & set(_listed(file.read().strip())))
            left -= set(mine)
            found += [mine] if mine else []
    return found + ([sorted(left)] if left else [])


def groups(nodes: Sequence[Sequence[int]], slots: int) -> tuple[int, ...]:
    """Return which slots belong to each node, a bit each; slots go through the nodes in turn."""
    owner = [number for number, cpus in enumerate(nodes) for _ in cpus]
    masks = [0] * len(nodes)
    for slot in range(slots):
        masks[owner[slot % len(owner)]] |= 1 << slot
    return tuple(masks)


def _nodes(folder: str) -> list[str]:
    with contextlib.suppress(OSError):
        names = os.listdir(folder)
        return [name for name in names if name.startswith("node") and name[4:].isdigit()]
    return []


def _listed(text: str) -> Iterable[int]:
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)
