"""The helper process: reads NVML whenever a line on stdin asks for it.

A line is a JSON list of pids, and so is the answer a line: a reading, in which each
process tells which of those it descends from.  It ends with its stdin, and with its
parent, for a call of NVML that hangs would not notice the former.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import pwd
import signal
import sys
from collections.abc import Iterable
from functools import lru_cache

from hsched.devices.nvml import Nvml
from hsched.devices.reading import Device, Process

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Answer until stdin ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    nvml = Nvml()
    for line in sys.stdin:
        roots = frozenset(json.loads(line))
        reading = nvml.read()
        devices = tuple(attributed(device, roots) for device in reading.devices)
        print(json.dumps(reading._replace(devices=devices).plain()), flush=True)


def attributed(device: Device, roots: Iterable[int]) -> Device:
    """Return ``device`` with its processes told whose they are."""
    if device.processes is None:
        return device
    known = frozenset(roots)
    return device._replace(processes=tuple(_told(one, known) for one in device.processes))


def _told(process: Process, roots: frozenset[int]) -> Process:
    parent = _parent(process.pid)
    if parent is None:
        return process._replace(visible=False)
    above: int | None = process.pid
    while above and above not in roots:
        above = _parent(above)
    user = name = None
    with contextlib.suppress(OSError):
        user = _user(os.stat(f"/proc/{process.pid}").st_uid)
        with open(f"/proc/{process.pid}/comm", encoding="utf-8", errors="replace") as file:
            name = file.read().rstrip("\n")
    return process._replace(root=above or None, user=user, name=name)


def _parent(pid: int) -> int | None:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return int(file.read().rpartition(")")[2].split()[1])
    except OSError:
        return None


@lru_cache(maxsize=64)
def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
