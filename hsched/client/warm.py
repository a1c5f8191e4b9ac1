"""Starting the warm process, from which the thin client's commands are forked.

There is one for each build of hsched that a user has, as long as one of his schedulers
is there.  All of this is a convenience: where it cannot be had, commands are plain Python.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys

from hsched import paths

#: The commands that may be thin clients; each is the module of its name in hsched.cli.
COMMANDS = ("hhold", "hjobs", "hkill", "hnslots", "hrelease", "hstatus", "hsubmit", "hupdate")

#: Where the build notes which sources the thin client was made with; absent without one.
BUILD_FILE = os.path.join(os.path.dirname(paths.__file__), "native", "build-id")

#: The descriptor under which a warm process is given its lock.
LOCK_FD = 3

_MAIN = """import sys
sys.path[0] = sys.argv.pop()
from hsched.warm.process import main
main(int(sys.argv.pop()))"""

#: INT and its like may be ignored or blocked here, and must not be in all commands.
_CATCHABLE = tuple(number for number in range(1, 32) if number not in (9, 19))


def folder() -> str:
    """Return the folder of the sockets, which the thin client looks for as well."""
    return os.path.join(paths.home(), paths.host(), ".warm")


def build() -> str | None:
    """Return the name of the build that is installed; None where it has no thin client."""
    try:
        with open(BUILD_FILE, encoding="ascii") as file:
            return file.read().strip() or None
    except OSError:
        return None


def start(broker: int = 0) -> None:
    """Start the warm process of this build where none lives; do not wait for it.

    It ends with the last scheduler that has an address; ``broker`` is the pid of one that
    will have.
    """
    name = build()
    if name is None or not _is_wanted():
        return
    from hsched.client.launch import make_private_folder

    with contextlib.suppress(OSError):
        make_private_folder(folder())
        lock = os.open(
            os.path.join(folder(), f"{name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _spawn(lock, broker)
        finally:
            os.close(lock)  # the warm process has it


def _is_wanted() -> bool:
    """Not by a job, which would wait for it to end, nor where Python is not as usual."""
    if os.environ.get("HSCHED_THIN") == "0" or "HSCHED_JOB_ID" in os.environ:
        return False
    special = ("PYTHON", "LD_PRELOAD", "LD_AUDIT")
    return not any(name.startswith(special) for name in os.environ)


def _spawn(lock: int, broker: int) -> None:
    # By a shell that ends at once, so that it is nobody's child.
    package = os.path.dirname(os.path.dirname(paths.__file__))
    command = [sys.executable, "-c", _MAIN, str(broker), package]
    log = os.path.join(folder(), "log")
    process = os.posix_spawn(
        "/bin/sh",
        ["/bin/sh", "-c", '"$@" &', "sh", *command],
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
            (os.POSIX_SPAWN_DUP2, lock, LOCK_FD),
        ],
        setsid=True,
        setsigmask=(),
        setsigdef=_CATCHABLE,
    )
    os.waitpid(process, 0)
