"""``hsched doctor``: what one needs to know for a bug report."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from statistics import median
from typing import Any

import click
import zmq

from hsched import __version__, native, paths
from hsched.cli import logout, service
from hsched.cli.common import Command, put, run, scheduler_option
from hsched.cli.render import columns
from hsched.client import Client
from hsched.devices.ask import read_once
from hsched.errors import HschedError
from hsched.wire.frames import PROTOCOL_VERSION

_PACKAGES = ("click", "cloudpickle", "nvidia-ml-py", "psutil", "pyzmq", "rich")
_SYNCS = 11
_TIMEOUT_S = 5.0
_WIDTH = 18


@click.command(
    "hsched doctor", cls=Command, examples=("hsched doctor", "hsched doctor -n lab --json")
)
@click.option("--json", "as_json", is_flag=True, help="Print one object for scripts.")
@scheduler_option
def command(scheduler: str | None, as_json: bool) -> int:
    """Print what a bug report needs: versions, paths, kernel, NVML, disk and scheduler.

    What may be in the way is marked with `!`, and the exit status is 1 then. Nothing is
    changed, and a scheduler that was killed is not brought back.
    """
    place = paths.place(scheduler or paths.default_name())
    found = dict(_all(place))
    troubles = [text for _, text in found.values() if text]
    if as_json:
        facts = {name: fact for name, (fact, _) in found.items()}
        put([json.dumps({**facts, "troubles": troubles})])
    else:
        rows = [(name.replace("_", " "), _told(fact)) for name, (fact, _) in found.items()]
        put(columns(rows, (_WIDTH,)))
        put(f"! {text}" for text in troubles)
    return 1 if troubles else 0


#: What was found, and what is wrong with it, empty where nothing is.
Finding = tuple[Any, str]


def _all(place: paths.Place) -> Iterator[tuple[str, Finding]]:
    yield "hsched", (f"{__version__}, protocol {PROTOCOL_VERSION}", "")
    yield "installed_in", (os.path.dirname(os.path.dirname(os.path.dirname(__file__))), "")
    yield "python", (f"{platform.python_version()}, {sys.executable}", "")
    yield "packages", (" ".join(f"{name} {_version(name)}" for name in _PACKAGES), "")
    yield "libraries", (f"libzmq {zmq.zmq_version()} sqlite {sqlite3.sqlite_version}", "")
    yield "system", (f"{platform.system()} {platform.release()} {platform.machine()}", "")
    checks: dict[str, Callable[[], Finding]] = {
        "shim": _shim,
        "pidfd": _pidfd,
        "cgroup_v2": _cgroup,
        "nvml": _nvml,
        "logout": lambda: ("jobs go on" if not (t := logout.danger()) else "jobs end", t),
        "service": lambda: _service(place),
        "folder": lambda: (place.folder, _privacy(place)),
        "store": lambda: _store(place),
        "disk": lambda: _disk(_existing(place.folder)),
        "fsync_ms": lambda: _fsync(_existing(place.folder)),
        "lock": lambda: _lock(place),
        "broker": lambda: _broker(place),
    }
    for name, check in checks.items():
        try:
            yield name, check()
        except (OSError, HschedError) as error:
            yield name, (str(error), f"{name.replace('_', ' ')}: {error}")


def _told(fact: Any) -> str:
    return fact if isinstance(fact, str) else json.dumps(fact)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _shim() -> Finding:
    program = native.shim_command()
    if len(program) == 1:
        return program[0], ""
    slower = "the compiled shim does not run here: jobs start slower, and need more memory"
    return " ".join(program), slower


def _pidfd() -> Finding:
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError) as error:
        return "no", f"pidfd_open does not work ({error}); Linux 5.3 or newer is needed"
    return "yes", ""


def _cgroup() -> Finding:
    with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as mounts:
        points = [line.split()[1] for line in mounts if line.split()[2] == "cgroup2"]
    if not points:
        return "not mounted; `hstart --cgroup` will not work", ""
    with open("/proc/self/cgroup", encoding="utf-8", errors="surrogateescape") as file:
        own = next((line[3:].strip() for line in file if line.startswith("0::")), "/")
    folder = os.path.join(points[0], own.lstrip("/"))
    writable = "writable" if os.access(folder, os.W_OK) else "not writable"
    return f"{folder}, {writable}", ""


def _nvml() -> Finding:
    reading = read_once()
    if reading.absent:
        return f"none: {reading.trouble}", ""
    names = ", ".join(f"{one.number} {one.name}" for one in reading.devices)
    return names or "no GPUs", reading.trouble


def _service(place: paths.Place) -> Finding:
    path = service.unit_path(service.unit_name(place.name))
    return (path if os.path.exists(path) else "not installed"), ""


def _privacy(place: paths.Place) -> str:
    if os.path.exists(place.folder):
        paths.check_private(place.folder)
    return ""


def _store(place: paths.Place) -> Finding:
    if not os.path.exists(place.store):
        return "none yet", ""
    return f"{os.path.getsize(place.store)} bytes", ""


def _disk(folder: str) -> Finding:
    free = shutil.disk_usage(folder).free
    kind = _file_system(folder)
    few = free < 1 << 28
    return f"{kind}, {free >> 20} MiB free", f"only {free >> 20} MiB are free in {folder}" * few


def _file_system(folder: str) -> str:
    """Return the type of the file system that a folder is on."""
    best, kind = "", "unknown"
    with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as mounts:
        for line in mounts:
            _, point, found = line.split()[:3]
            inside = os.path.realpath(folder) + "/"
            if inside.startswith(point.rstrip("/") + "/") and len(point) >= len(best):
                best, kind = point, found
    return kind


def _fsync(folder: str) -> Finding:
    """Return how long the disk takes to keep a page, as each change of the queue needs."""
    taken = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(_SYNCS):
            file.write(b"\0" * 4096)
            file.flush()
            begun = time.perf_counter()
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - begun) * 1000)
    middle = round(median(taken), 3)
    slow = "the disk takes {} ms to keep a page: each submission and end takes longer than that"
    return middle, slow.format(middle) if middle > 50 else ""


def _lock(place: paths.Place) -> Finding:
    address = paths.read_address(place)
    if not paths.is_locked(place):
        return "free", ""
    if address is None:
        return "held, by a broker that comes up or goes", ""
    return f"held, by pid {address.pid}", ""


def _broker(place: paths.Place) -> Finding:
    address = paths.read_address(place)
    if not paths.is_locked(place):
        if address is None:
            return "not running", ""
        return "gone", f"the broker of {place.name} was killed; the next command brings it back"
    with Client(place.name, timeout=_TIMEOUT_S) as client:
        status = client.status()
    jobs = ", ".join(f"{count} {state}" for state, count in status.jobs.items())
    differs = status.version != __version__
    text = f"the broker is version {status.version}; `hstart --restart` brings this one"
    return f"{status.version}, pid {status.pid}, run {status.run}: {jobs}", text * differs


def _existing(folder: str) -> str:
    """Return the nearest folder above that there is."""
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return folder


def main() -> None:
    """Be the program."""
    run(command)
