"""The machine that was measured, in words, and how long its disk takes to be sure."""

from __future__ import annotations

import os
import platform
import statistics
import time
from pathlib import Path

_WRITES = 100


def describe(folder: Path) -> str:
    """Return a paragraph: processor, kernel, interpreter, file system, and what it costs."""
    fsync_ms, new_file_ms = fsync_s(folder) * 1000, new_file_s(folder) * 1000
    return (
        f"{_processor()}, {os.cpu_count()} CPUs, {_memory_gib():.0f} GiB; Linux "
        f"{platform.release()}; Python {platform.python_version()}; {_file_system(folder)}, "
        f"one fsync {fsync_ms:.2f} ms, one new file {new_file_ms:.3f} ms; "
        f"{time.strftime('%Y-%m-%d')}."
    )


def fsync_s(folder: Path) -> float:
    """Return the median time of an fdatasync after a write of a page, in seconds."""
    path = folder / "fsync"
    times = []
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        for _ in range(_WRITES):
            os.write(descriptor, b"x" * 4096)
            begin = time.perf_counter()
            os.fdatasync(descriptor)
            times.append(time.perf_counter() - begin)
    finally:
        os.close(descriptor)
        path.unlink()
    return statistics.median(times)


def new_file_s(folder: Path) -> float:
    """Return the median time of making a file, in seconds."""
    made = folder / "made"
    made.mkdir()
    times = []
    for number in range(_WRITES):
        begin = time.perf_counter()
        os.close(os.open(made / str(number), os.O_WRONLY | os.O_CREAT, 0o600))
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith(("model name", "Hardware")):
            return " ".join(line.partition(":")[2].split())
    return platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30


def _file_system(folder: Path) -> str:
    """Return the type of the file system that holds ``folder``."""
    wanted = os.path.realpath(folder)
    best, kind = "", "an unknown file system"
    for line in Path("/proc/mounts").read_text().splitlines():
        _, point, what, *_ = line.split()
        inside = wanted == point or wanted.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, what
    return kind
