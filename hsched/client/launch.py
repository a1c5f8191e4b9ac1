"""Starting a broker's process, detached from everything of its caller.

The broker tells on a pipe whether it answers or why not.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import sys
import time
from collections.abc import Sequence

from hsched import paths
from hsched.client import warm
from hsched.errors import AlreadyRunning, HschedError, NoAnswer, NotRunning, by_name

_READY_FD = 3


def launch(place: paths.Place, arguments: Sequence[str], deadline: float) -> None:
    """Start a broker for ``place`` and return once it answers.

    ``arguments`` are those of ``python -m hsched.broker NAME``.

    Raises:
        AlreadyRunning: another broker holds the lock.
        NoAnswer: it did not come up in time; it may still.
        HschedError: what the broker said when it gave up.
    """
    make_private_folder(place.folder)
    ready, theirs = os.pipe()
    try:
        _spawn(place, arguments, theirs)
        os.close(theirs)
        said = _read_all(ready, deadline)
    finally:
        os.close(ready)
    kind, _, text = said.decode("utf-8", "replace").strip().partition(" ")
    if kind != "ready":
        fallback = f"the broker of {place.name} ended at once; see {place.log}"
        raise by_name(kind)(text or fallback)
    warm.start()


def revive(place: paths.Place, deadline: float) -> None:
    """Bring back the killed broker of ``place``, and say so on stderr.

    Of many clients that find it dead, one starts it.
    """
    descriptor = os.open(place.lock + ".revive", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if paths.is_locked(place) or paths.read_address(place) is None:
            return
        launch(place, ["--continue"], deadline)
        print(f"hsched: the broker of {place.name} was gone and is back", file=sys.stderr)
    except AlreadyRunning:
        return
    finally:
        os.close(descriptor)


def restart(place: paths.Place, deadline: float) -> None:
    """Replace the live broker of ``place`` by the installed version; jobs run on.

    It is asked by a signal, not by a message: brokers of every version understand that.

    Raises:
        NotRunning: there is no live broker.
        NoAnswer: the old one did not end in time, or the new one did not come up.
    """
    address = paths.read_address(place)
    if address is None or not paths.is_locked(place):
        raise NotRunning(f"scheduler {place.name}: bad state or not running; use plain `hstart`")
    import signal  # enumerates all signals, which is slow, and is needed here alone

    broker = os.pidfd_open(address.pid)
    try:
        signal.pidfd_send_signal(broker, signal.SIGTERM)
        if not select.select([broker], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise NoAnswer(f"the broker of {place.name} (pid {address.pid}) does not end")
    finally:
        os.close(broker)
    with contextlib.suppress(AlreadyRunning):  # another client missed it, and was faster
        launch(place, ["--continue"], deadline)


def make_private_folder(folder: str) -> None:
    """Create ``folder`` with mode 0700, and check that it is ours.

    Raises:
        NotPermitted: it is somebody else's or a link.
        HschedError: it cannot be made; the text says why.
    """
    try:
        os.makedirs(os.path.dirname(folder), mode=0o700, exist_ok=True)
        os.makedirs(folder, mode=0o700, exist_ok=True)
    except OSError as error:
        reason = f"{error.filename}: {error.strerror}; set HSCHED_HOME to a folder of yours"
        raise HschedError(f"cannot make the folder of the scheduler: {reason}") from error
    paths.check_private(folder)


def _spawn(place: paths.Place, arguments: Sequence[str], ready: int) -> None:
    # `python -m` puts the working directory on sys.path, so it must be a folder of ours;
    # a shell goes there, because changing our own would reach every thread of the caller.
    go = ["/bin/sh", "-c", 'cd "$0" && exec "$@"', place.folder]
    command = [sys.executable, "-m", "hsched.broker", place.name, *arguments]
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, place.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
        (os.POSIX_SPAWN_DUP2, ready, _READY_FD),
    ]
    process = os.posix_spawn(
        go[0],
        [*go, *command, "--ready-fd", str(_READY_FD)],
        os.environ,
        file_actions=actions,
        setsid=True,
    )
    os.waitpid(process, 0)  # the broker forks once, so that it is nobody's child


def _read_all(descriptor: int, deadline: float) -> bytes:
    said = b""
    while True:
        left = max(0.0, deadline - time.monotonic())
        if not select.select([descriptor], [], [], left)[0]:
            raise NoAnswer("the broker is not coming up; see its broker.log")
        if not (more := os.read(descriptor, 65536)):
            return said
        said += more
