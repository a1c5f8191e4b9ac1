"""What jobs use at a moment: CPU and memory of their process trees, and their GPUs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import psutil

from hsched.cli.top.frame import Machine
from hsched.cli.top.table import Usage
from hsched.devices.ask import Session
from hsched.devices.reading import Reading


class Tree(NamedTuple):
    """The processes of a job: all below ``root``, which belongs to it where ``counts``.

    ``devices`` are the UUIDs of the GPUs that it holds.
    """

    job: str
    root: int
    counts: bool = False
    devices: tuple[str, ...] = ()


class Sampler:
    """Looks when asked, and compares with its look before; not for several threads at once."""

    def __init__(self) -> None:
        self._before: dict[str, tuple[float, float]] = {}
        self._gpus = Session()
        psutil.cpu_percent()  # it counts from the call before

    def close(self) -> None:
        """End the process that asks NVML, where there is one."""
        self._gpus.close()

    def machine(self) -> Machine:
        """Return how the machine did since the last look."""
        memory = psutil.virtual_memory()
        cores = psutil.cpu_count() or 1
        return Machine(psutil.cpu_percent(), cores, memory.total - memory.available, memory.total)

    def look(self, trees: Sequence[Tree]) -> dict[str, Usage]:
        """Return what each job uses; CPU only for those that were there at the last look.

        GPUs are asked for where a job holds one.
        """
        members = _members([tree.root for tree in trees])
        found = {tree.job: self._processes(tree, members[tree.root]) for tree in trees}
        self._before = {job: before for job, before in self._before.items() if job in found}
        if any(tree.devices for tree in trees):
            reading = self._gpus.read(tree.root for tree in trees)
            for tree in trees:
                memory, busy = on_gpus(tree, reading)
                found[tree.job] = found[tree.job]._replace(gpu_memory=memory, gpu_busy=busy)
        return found

    def _processes(self, tree: Tree, pids: Iterable[int]) -> Usage:
        """Return CPU and memory of a tree.

        The time of a child that has ended is its parent's, once that has waited for it; so
        the sum over all, with waited children, is what the tree has used since its start.
        """
        spent, memory, alive = 0.0, 0, False
        for pid in pids:
            try:
                process = psutil.Process(pid)
                with process.oneshot():
                    times, resident = process.cpu_times(), process.memory_info().rss
            except psutil.Error:  # it has just ended
                continue
            spent += times.user + times.system + times.children_user + times.children_system
            memory += resident if pid != tree.root or tree.counts else 0
            alive = True
        now = time.monotonic()
        before, self._before[tree.job] = self._before.get(tree.job), (now, spent)
        if not alive:
            return Usage()
        cpu = None
        if before is not None and now > before[0]:
            cpu = max(0.0, 100.0 * (spent - before[1]) / (now - before[0]))
        return Usage(cpu, memory)


def on_gpus(tree: Tree, reading: Reading) -> tuple[int | None, int | None]:
    """Return the bytes that a job has on GPUs, and how busy those are that it holds.

    None is what NVML does not tell.
    """
    if not tree.devices:
        return None, None
    known = [d for uuid, d in reading.by_uuid().items() if uuid in tree.devices]
    busy = [device.utilisation for device in known if device.utilisation is not None]
    memory: int | None = None
    for device in known:
        for process in device.processes or ():
            if process.root == tree.root and process.memory is not None:
                memory = (memory or 0) + process.memory
    return memory, round(sum(busy) / len(busy)) if busy else None


def _members(roots: Iterable[int]) -> Mapping[int, list[int]]:
    """Return each root with all that descend from it, from one look at all processes."""
    children: dict[int, list[int]] = {}
    for process in psutil.process_iter(["ppid"]):
        children.setdefault(process.info["ppid"], []).append(process.pid)
    found = {}
    for root in roots:
        found[root] = members = [root]
        for pid in members:  # it grows meanwhile
            members += children.get(pid, ())
    return found
