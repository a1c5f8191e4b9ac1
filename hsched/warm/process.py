"""The loop of the warm process: a connection goes to a worker, and nothing wakes it in vain.

A fork shares its memory until it writes to it, and copying page by page costs a command
more than its work.  So one worker waits as a *spare*, forked ahead, and what was a command
becomes the spare again.  Another is forked when one comes while all work.  The warm process
has no thread and no ZeroMQ context, for neither outlives a fork.  It leaves when the last
scheduler of its user has been stopped, when the files of hsched are replaced, or when its
own socket is removed.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import importlib
import os
import pkgutil
import select
import signal
import socket
import sys

from hsched.client import warm
from hsched.client.inotify import MADE, MOVED, REMOVED, WRITTEN, FolderEvents
from hsched.warm import child, rehearsal, request

_BACKLOG = 4096

#: How often Python must run something until it has rewritten its bytecode for the last time.
_PRACTICE = 64

#: What commands import when they need it, besides all messages and the client.
_LATER = [
    *("hsched.cli.many", "hsched.cli.render", "hsched.cli.table", "hsched.core.model"),
    *("hsched.core.spec", "hsched.core.durations", "rich.console", "rich.table", "difflib"),
]

#: The packages that commands are made of: when they change, we are of yesterday.
_PACKAGES = [
    *("hsched", "hsched.cli", "hsched.cli.fields", "hsched.client", "hsched.core"),
    *("hsched.native", "hsched.warm", "hsched.wire", "click", "rich", "zmq"),
]


class Fork:
    """A worker as its parent sees it; it works while there is a ``connection``."""

    def __init__(self, pid: int, channel: socket.socket) -> None:
        self.pid, self.channel = pid, channel
        self.connection: socket.socket | None = None

    def let_go(self) -> None:
        """Close the client's connection, whose end the worker has."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class WarmProcess:
    """Listens in ``folder`` as ``build``, for as long as it is wanted.

    ``broker`` is the pid of one that counts before it has an address, or 0.
    """

    def __init__(self, folder: str, build: str, broker: int) -> None:
        self._socket_path = os.path.join(folder, build)
        self._lock_path = f"{self._socket_path}.lock"
        self._lock = warm.LOCK_FD
        self._forks: dict[int, Fork] = {}  # by pid
        self._channels: dict[int, Fork] = {}  # by the descriptor of the channel
        self._spare: Fork | None = None
        self._wanted = True
        self._watch = FolderEvents()
        self._poll = select.poll()
        self._own = child.look_at_ourselves(build)
        self._woken, self._waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._listener = self._listen(folder)
        self._broker = -1
        with contextlib.suppress(OSError):
            self._broker = os.pidfd_open(broker)

    def serve(self) -> None:
        """Hand each connection to a worker until nobody needs us, then wait for the last."""
        for descriptor in (self._woken, self._watch.descriptor, self._listener.fileno()):
            self._poll.register(descriptor, select.POLLIN)
        if self._broker >= 0:
            self._poll.register(self._broker, select.POLLIN)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._look_for_schedulers()
        if self._wanted:
            self._spare = self._new_fork()
        while self._wanted or self._forks:
            ready = {descriptor for descriptor, _ in self._poll.poll()}
            if self._watch.descriptor in ready:
                self._look_around()
            if self._broker in ready:
                self._forget_broker()
                self._look_for_schedulers()
            for descriptor in ready & self._channels.keys():
                self._take_back(self._channels[descriptor])
            if self._woken in ready:
                self._reap()  # after them, because what it closes and opens has the same numbers
            if self._wanted and self._listener.fileno() in ready:
                self._accept()

    def watch_sources(self) -> None:
        """Watch the packages that were imported."""
        for name in _PACKAGES:
            folder = os.path.dirname(sys.modules[name].__file__ or "")
            self._watch.add(folder, WRITTEN | MADE | REMOVED | MOVED)

    def _listen(self, folder: str) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._socket_path)  # of one that was killed: we have the lock
        descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        # By way of the descriptor, because an address has 107 bytes.
        listener.bind(f"/proc/self/fd/{descriptor}/{os.path.basename(self._socket_path)}")
        os.close(descriptor)
        listener.listen(_BACKLOG)
        self._watch.add(folder, REMOVED | MOVED)
        return listener

    def _look_around(self) -> None:
        for path in self._watch.read():
            if path.endswith((".py", ".so", "build-id")):
                self._leave()  # an upgrade
            elif path == self._socket_path and not os.path.exists(path):
                self._leave()
            elif os.path.basename(path) == "address":
                self._look_for_schedulers()

    def _look_for_schedulers(self) -> None:
        """Watch those that there are; leave where there is none."""
        if self._have_schedulers():
            return
        # Whoever starts one meanwhile finds either the lock free, or us with the lock again.
        os.close(self._lock)
        if self._have_schedulers() and self._take_lock():
            return
        self._leave()

    def _have_schedulers(self) -> bool:
        with os.scandir(os.path.dirname(self._lock_path) + "/..") as entries:
            folders = [entry.path for entry in entries if not entry.name.startswith(".")]
        live = [one for one in folders if os.path.exists(f"{one}/address")]
        for folder in live:
            with contextlib.suppress(OSError):
                self._watch.add(folder, REMOVED | MOVED)
        return self._broker >= 0 or any(os.path.exists(f"{one}/address") for one in live)

    def _forget_broker(self) -> None:
        self._poll.unregister(self._broker)
        os.close(self._broker)
        self._broker = -1

    def _take_lock(self) -> bool:
        self._lock = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _leave(self) -> None:
        if self._wanted:
            self._wanted = False
            self._poll.unregister(self._listener)
            self._listener.close()
            if self._spare is not None:
                self._dismiss(self._spare)
                self._spare = None

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except BlockingIOError:
            return
        except OSError:
            self._leave()  # no descriptors: better plain Python than none at all
            return
        if child.peer(connection)[1] != os.geteuid() or not self._hand_over(connection):
            connection.close()

    def _hand_over(self, connection: socket.socket) -> bool:
        """Give a connection to the spare, or else to a new worker."""
        worker = self._spare or self._new_fork()
        self._spare = None
        if worker is None:
            return False  # no processes: the client finds the same, and says so
        try:
            socket.send_fds(worker.channel, [b"\0"], [connection.fileno()])
        except OSError:
            return False  # somebody killed it
        worker.connection = connection
        return True

    def _take_back(self, worker: Fork) -> None:
        """Have what was a command as the spare, if one is missing."""
        try:
            is_free = bool(worker.channel.recv(1, socket.MSG_DONTWAIT))
        except BlockingIOError:
            return
        except OSError:
            is_free = False  # it is gone, and has not read all that it was sent
        if is_free:
            worker.let_go()
        if is_free and self._wanted and self._spare is None:
            self._spare = worker
        else:
            self._dismiss(worker)

    def _dismiss(self, worker: Fork) -> None:
        """Let a worker end; it is reaped when it has."""
        if self._channels.pop(worker.channel.fileno(), None):
            self._poll.unregister(worker.channel)
        worker.channel.close()

    def _new_fork(self) -> Fork | None:
        ours, theirs = socket.socketpair()
        try:
            pid = os.fork()
        except OSError:
            return None
        if pid == 0:
            self._forget()
            ours.close()
            child.Worker(theirs, self._own).serve()
        theirs.close()
        worker = self._forks[pid] = self._channels[ours.fileno()] = Fork(pid, ours)
        self._poll.register(ours, select.POLLIN)
        return worker

    def _forget(self) -> None:
        """In a child: let go of all that is the warm process's own."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._listener.close()
        for one in self._forks.values():
            one.channel.close()
            one.let_go()
        for descriptor in (self._woken, self._waker, self._watch.descriptor, self._lock):
            os.close(descriptor)
        if self._broker >= 0:
            os.close(self._broker)

    def _reap(self) -> None:
        os.read(self._woken, 65536)
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG)) != (0, 0):
                self._bury(self._forks.pop(ended[0]), ended[1])

    def _bury(self, worker: Fork, status: int) -> None:
        """Tell the client how its command ended, and have a spare again."""
        self._dismiss(worker)
        if worker is self._spare:
            self._spare = None  # somebody killed it; another is made when it is missed
        if worker.connection is None:
            return
        request.send(worker.connection, request.WAIT_STATUS, status)
        worker.let_go()
        if self._wanted and self._spare is None:
            self._spare = self._new_fork()


def main(broker: int) -> None:
    """Be the warm process of the build that is installed; descriptor 3 is its lock.

    ``broker`` is the pid of one on its way up, or 0.
    """
    _close_strays()
    build, folder = warm.build(), warm.folder()
    if build is None:
        return
    os.chdir(folder)
    os.umask(0o077)
    child.set_title("hsched-warm")
    for number in (signal.SIGINT, signal.SIGQUIT):  # a shell's `&` ignores them
        signal.signal(number, signal.SIG_DFL)
    _import_everything()
    process = WarmProcess(folder, build, broker)
    process.watch_sources()
    process.serve()


def _import_everything() -> None:
    for package in ("hsched.client", "hsched.wire"):
        for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
            if not module.name.startswith("async"):
                importlib.import_module(f"{package}.{module.name}")
    for name in (*(f"hsched.cli.{command}" for command in warm.COMMANDS), *_LATER, *_PACKAGES):
        importlib.import_module(name)
    rehearsal.parse()
    for _ in range(_PRACTICE):
        rehearsal.talk()
    gc.collect()
    gc.freeze()  # no collection in a child copies the pages of what is here


def _close_strays() -> None:
    for name in os.listdir("/proc/self/fd"):
        if int(name) > warm.LOCK_FD:
            with contextlib.suppress(OSError):
                os.close(int(name))
    os.set_inheritable(warm.LOCK_FD, False)
