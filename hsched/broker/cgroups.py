"""A cgroup per job, where hstart was asked for it and cgroup v2 is writable.

With one, nothing escapes a kill, not even from a killed shim, and the peak memory is
that of the whole tree.  It is not the default: moving a process into a cgroup takes
about half a millisecond, as much as all else that a start costs.
"""

from __future__ import annotations

import contextlib
import os

from hsched.errors import HschedError


class Cgroups:
    """The cgroups of one scheduler, below that of the broker."""

    def __init__(self, scheduler: str) -> None:
        """Find where cgroups can be made.

        Raises:
            HschedError: nowhere; the text says why.
        """
        parent = os.path.join(_mount_point(), _own_cgroup())
        self._folder = os.path.join(parent, f"hsched-{scheduler}")
        try:
            os.makedirs(self._folder, exist_ok=True)
        except OSError as error:
            raise HschedError(
                f"--cgroup: {self._folder} cannot be made: {error.strerror}; "
                "under systemd, the unit needs Delegate=yes"
            ) from error

    def make(self, name: str) -> bytes:
        """Make the cgroup of one attempt at a job, and return its folder.

        Raises:
            OSError: it cannot be made.
        """
        folder = self._path(name)
        os.makedirs(folder, exist_ok=True)
        return os.fsencode(folder)

    def kill(self, name: str) -> None:
        """Kill all that is in a cgroup; nothing where there is none."""
        with contextlib.suppress(OSError), open(f"{self._path(name)}/cgroup.kill", "w") as file:
            file.write("1")

    def remove(self, name: str) -> None:
        """Remove the cgroup of a job whose shim could not; nothing where it did."""
        with contextlib.suppress(OSError):
            os.rmdir(self._path(name))

    def close(self) -> None:
        """Remove the scheduler's own cgroup, unless jobs are left in it."""
        with contextlib.suppress(OSError):
            os.rmdir(self._folder)

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)


def _mount_point() -> str:
    with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as mounts:
        for line in mounts:
            _, point, kind = line.split()[:3]
            if kind == "cgroup2":
                return point
    raise HschedError("--cgroup: no cgroup v2 is mounted here")


def _own_cgroup() -> str:
    with open("/proc/self/cgroup", encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            if line.startswith("0::"):
                return line[3:].strip().lstrip("/")
    return ""
