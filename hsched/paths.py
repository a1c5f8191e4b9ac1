"""Where a scheduler lives: ``HSCHED_HOME/HOST/NAME`` and what is in it.

By host, because home folders are shared between workstations.  Nothing here
creates a folder; :func:`check_private` says whether one may be trusted.
"""

from __future__ import annotations

import fcntl
import os
import stat
import struct
from typing import NamedTuple

from hsched.errors import NotPermitted, WrongUsage

DEFAULT_NAME = "default"
_MAX_NAME = 64

#: File systems that several hosts share.
_NETWORK = ("nfs", "cifs", "smb", "9p", "fuse.sshfs", "afs", "lustre", "gpfs", "ceph", "beegfs")


def home() -> str:
    """Return the folder of all schedulers of this user on all hosts.

    ``HSCHED_HOME``, else ``$XDG_STATE_HOME/hsched``, else ``~/.local/state/hsched``
    with ``~`` from the password file where HOME is unset.
    """
    if chosen := os.environ.get("HSCHED_HOME"):
        return os.path.abspath(chosen)
    if state := os.environ.get("XDG_STATE_HOME"):
        return os.path.join(os.path.abspath(state), "hsched")
    folder = os.environ.get("HOME")
    if not folder:
        import pwd  # only needed here, and every command would pay for it

        folder = pwd.getpwuid(os.getuid()).pw_dir
    return os.path.join(folder, ".local", "state", "hsched")


def host() -> str:
    """Return this machine's name, as a folder may be called."""
    return os.uname().nodename.replace("/", "_") or "localhost"


def default_name() -> str:
    """Return the scheduler that is meant when nobody names one."""
    return os.environ.get("HSCHED_NAME") or DEFAULT_NAME


def is_on_network(path: str) -> bool:
    """Return whether other hosts see an absolute path as well, and may write there.

    A Unix socket cannot be bound there, or not be reached from this host alone; and what
    others write wakes nobody here.
    """
    best, kind = "", ""
    with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as mounts:
        for line in mounts:
            point, this = line.split()[1:3]
            inside = (path + "/").startswith(point.rstrip("/") + "/")
            if inside and len(point) >= len(best):
                best, kind = point, this
    return kind.startswith(_NETWORK)


class Address(NamedTuple):
    """Where a broker answers, and which process it is."""

    endpoint: str
    pid: int


class Place(NamedTuple):
    """The folder of one scheduler, and the paths in it."""

    folder: str
    name: str

    @property
    def store(self) -> str:
        """The SQLite file with all runs of this scheduler."""
        return os.path.join(self.folder, "hsched.db")

    @property
    def lock(self) -> str:
        """The file whose lock says that a broker lives."""
        return os.path.join(self.folder, "lock")

    @property
    def address(self) -> str:
        """The file that names the socket; it exists from hstart to hstop."""
        return os.path.join(self.folder, "address")

    def run_folder(self, run: str) -> str:
        """Return the folder of the run called ``run``, with the logs of its jobs."""
        return os.path.join(self.folder, run)

    @property
    def current(self) -> str:
        """The link to the newest run's folder."""
        return os.path.join(self.folder, "current")

    @property
    def log(self) -> str:
        """The broker's own log."""
        return os.path.join(self.folder, "broker.log")


def place(name: str) -> Place:
    """Return the place of the scheduler called ``name``.

    Raises:
        WrongUsage: the name cannot be the name of a folder.
    """
    if not name or name.startswith(".") or len(os.fsencode(name)) > _MAX_NAME:
        raise WrongUsage(f"scheduler name {name[:80]!r}: 1 to {_MAX_NAME} bytes, no leading dot")
    if any(c == "/" or ord(c) < 32 or ord(c) == 127 for c in name):
        raise WrongUsage(f"scheduler name {name!r}: no slash and no control character")
    return Place(os.path.join(home(), host(), name), name)


def names() -> list[str]:
    """Return the names of all schedulers that ever ran here, sorted."""
    try:
        with os.scandir(os.path.join(home(), host())) as entries:
            return sorted(e.name for e in entries if e.is_dir() and not e.name.startswith("."))
    except OSError:
        return []


def read_address(at: Place) -> Address | None:
    """Return where the broker answers, or None where none was started or it was stopped."""
    try:
        with open(at.address, encoding="utf-8", errors="surrogateescape") as file:
            endpoint, pid = file.read().split("\n")[:2]
            return Address(endpoint, int(pid))
    except (OSError, ValueError):
        return None


#: struct flock of Linux with 64-bit offsets: type, whence, start, length, pid.
_FLOCK = "hhqqi4x"


def lock_exclusively(descriptor: int) -> bool:
    """Take the open-file-description lock on a file; False where somebody holds it.

    It goes with the last copy of the description, so no pid can be mistaken for it.
    """
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _flock(fcntl.F_WRLCK))
    except (BlockingIOError, PermissionError):
        return False
    return True


def is_locked(at: Place) -> bool:
    """Return whether a broker lives here."""
    try:
        descriptor = os.open(at.lock, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        answer = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _flock(fcntl.F_WRLCK))
        return bool(struct.unpack(_FLOCK, answer)[0] != fcntl.F_UNLCK)
    finally:
        os.close(descriptor)


def _flock(kind: int) -> bytes:
    return struct.pack(_FLOCK, kind, os.SEEK_SET, 0, 0, 0)


def check_private(path: str) -> None:
    """Check that ``path`` itself, not what a link points to, is ours alone.

    Raises:
        NotPermitted: it is a link, somebody else's, or others may write to it.
    """
    found = os.lstat(path)
    if stat.S_ISLNK(found.st_mode):
        raise NotPermitted(f"{path} is a symbolic link; remove it, or set HSCHED_HOME")
    if found.st_uid != os.geteuid():
        raise NotPermitted(f"{path} belongs to uid {found.st_uid}, not to you; set HSCHED_HOME")
    if stat.S_ISDIR(found.st_mode) and found.st_mode & 0o022:
        raise NotPermitted(f"{path} may be written by others; chmod 700 it, or set HSCHED_HOME")
