"""How a fork of the warm process becomes the command that a thin client stands for.

It takes over everything that a program inherits from who runs it, so that nobody can
tell it from the command in plain Python.  When the command has succeeded it puts all of
that back, and waits for the next one: a fork, with the copying of all pages that it writes
to, costs many times what a command does.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import importlib
import io
import os
import resource
import select
import signal
import socket
import struct
import sys
import time
import traceback
from typing import Any, NamedTuple, NoReturn, TextIO

from hsched.cli import common
from hsched.client.warm import COMMANDS
from hsched.warm import request
from hsched.warm.rehearsal import rehearse
from hsched.warm.request import Request, Unlike

#: What decides on the encoding of a Python process, at its start.
_LOCALE = (b"LC_ALL", b"LC_CTYPE", b"LANG")

_SO_PEERGROUPS = 59
_GROUPS_BYTES = 1024  # more of them are none that a socket of Python tells
_INFINITY = (1 << 64) - 1


#: What stands in for the streams between two commands.
_FIRST = (sys.stdin, sys.stdout, sys.stderr)

#: When a worker is replaced, so that what it may forget to give back stays little: after so
#: many commands, or one that took so much memory.
_TURNS, _PEAK_KIB = 1000, 128 << 10

_UMASK = 0o077

#: How many new objects make Python look for garbage; a worker does so after each command.
_GARBAGE = 50_000


class Own(NamedTuple):
    """What a warm process is, and cannot change for a command."""

    build: str
    spaces: tuple[int, ...]
    gid: int
    groups: tuple[int, ...]
    locale: tuple[bytes | None, ...]
    coerced: bytes | None  # LC_CTYPE, where Python sets it by itself (PEP 538)
    limits: tuple[tuple[int, int], ...]


def look_at_ourselves(build: str) -> Own:
    """Return what this process is, and empty its environment: each child gets another one."""
    began_with = _initial_environment()
    coerced = None if b"LC_CTYPE" in began_with else os.environb.get(b"LC_CTYPE")
    locale = tuple(began_with.get(name) for name in _LOCALE)
    os.environ.clear()
    return Own(
        build=build,
        spaces=request.spaces(),
        gid=os.getegid(),
        groups=tuple(sorted(os.getgroups())),
        locale=locale,
        coerced=coerced,
        limits=tuple(resource.getrlimit(number) for number in range(request.LIMITS)),
    )


class Worker:
    """A fork of the warm process that waits for its turn to be a command, again and again.

    Nothing of one command is left for the next: what it took over is put back, and a worker
    that cannot do so, or whose command did not just succeed, ends and another is forked.
    """

    def __init__(self, channel: socket.socket, own: Own) -> None:
        """``channel`` leads to the warm process, which hands connections over on it."""
        self._channel, self._own = channel, own
        self._pidfd = os.pidfd_open(os.getpid())
        self._null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        self._turns = 0
        self._life = -1  # of the client, while we are its command
        self._signals: list[tuple[int, Any]] = []  # that were changed, and what was there
        self._limits: list[int] = []  # that were changed
        self._descriptors = len(os.listdir("/proc/self/fd"))

    def serve(self) -> NoReturn:
        """Be the commands that are handed over, until one of them or the warm process ends us."""
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # until a command knows what to do with it
        gc.set_threshold(_GARBAGE)
        if not select.select([self._channel], [], [], 0)[0]:
            rehearse()
        while True:
            set_title("hsched-spare")
            _, given, _, _ = socket.recv_fds(self._channel, 1, 1)
            if not given:
                os._exit(0)  # the warm process has left
            with socket.socket(fileno=given[0]) as connection:
                self._turn(connection)
            self._channel.send(b"\0")

    def _turn(self, connection: socket.socket) -> None:
        """Be one command; return only where the next one finds everything as this one did."""
        self._turns += 1
        try:
            asked = request.receive(connection)
            name = _check(asked, connection, self._own, fresh=self._turns == 1)
        except (Unlike, OSError, ValueError):
            request.send(connection, request.REFUSED, 0)
            return
        try:
            self._take_over(asked, connection, name)
        except (Unlike, OSError, ValueError):
            request.send(connection, request.REFUSED, 0)
            os._exit(0)
        status = _run(name)
        self._tell(status, connection)
        if status != 0 or not self._put_back(connection):
            os._exit(status)

    def _take_over(self, asked: Request, connection: socket.socket, name: str) -> None:
        """Become what the caller is.

        Raises:
            Unlike, OSError, ValueError: it went away, or has what we cannot have.
        """
        self._take_limits(asked)
        request.send(connection, request.READY, 0, self._pidfd)
        os.umask(asked.umask)
        _take_environment(asked.environment, self._own)
        self._take_signals(asked)
        sys.argv = [os.fsdecode(word) for word in asked.argv]
        *streams, folder, self._life = request.await_begin(connection)
        _take_streams(streams)
        os.fchdir(folder)
        os.close(folder)
        set_title(name)
        connection.setblocking(True)
        _die_with(self._life)

    def _take_limits(self, asked: Request) -> None:
        for number, limit in enumerate(asked.limits):
            signed = tuple(-1 if value == _INFINITY else value for value in limit)
            if signed != self._own.limits[number]:
                self._limits.append(number)
                resource.setrlimit(number, (signed[0], signed[1]))

    def _take_signals(self, asked: Request) -> None:
        for number in range(1, 32):
            if asked.ignored >> (number - 1) & 1:
                self._signals.append((number, signal.signal(number, signal.SIG_IGN)))
        if asked.blocked:
            blocked = {n for n in range(1, signal.NSIG) if asked.blocked >> (n - 1) & 1}
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    def _tell(self, status: int, connection: socket.socket) -> None:
        """Tell how the command ended; from here on the client's death is not ours."""
        os.close(self._life)
        # Whoever waits for the end of our output must find it at its end.
        for stream in (0, 1, 2):
            os.dup2(self._null, stream)
        request.send(connection, request.STATUS, status)

    def _put_back(self, connection: socket.socket) -> bool:
        """Undo what was taken over; False where something of it stays."""
        _drop_streams()
        os.environ.clear()
        os.chdir("/")  # keep nobody's file system busy
        os.umask(_UMASK)
        gc.collect()
        with contextlib.suppress(OSError):
            connection.recv(1)  # until the client is gone it may pass a signal on
        for number, before in self._signals:
            signal.signal(number, before)
        self._signals.clear()
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        try:
            for number in self._limits:
                resource.setrlimit(number, self._own.limits[number])
        except (OSError, ValueError):
            return False  # the hard limit went down, for good
        self._limits.clear()
        return self._is_like_new()

    def _is_like_new(self) -> bool:
        return (
            self._turns < _TURNS
            and self._own.limits[resource.RLIMIT_CPU][0] == -1  # else we would use it up
            and resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < _PEAK_KIB
            and len(os.listdir("/proc/self/fd")) == self._descriptors + 1  # the connection
            and len(os.listdir("/proc/self/task")) == 1
        )


class Ended(BaseException):
    """The command has said all."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


def _run(name: str) -> int:
    """Be the command ``name``; return its exit status."""

    def leave(status: int) -> NoReturn:
        raise Ended(status)

    common.leave = leave
    typed = signal.getsignal(signal.SIGINT) != signal.SIG_IGN
    try:
        if typed:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        importlib.import_module(f"hsched.cli.{name}").main()
    except Ended as ended:
        return ended.status
    except BaseException:  # a bug of ours, of which plain Python would say the same
        traceback.print_exc()
    finally:
        if typed:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
    return 1


def set_title(title: str) -> None:
    """Show ``title`` as the name of this process in ps."""
    with open("/proc/self/comm", "w", encoding="ascii") as comm:
        comm.write(title)


def _check(asked: Request, connection: socket.socket, own: Own, fresh: bool) -> str:
    """Return which command is asked for.

    A worker that is not ``fresh`` has used up some of the processor time that may be limited.

    Raises:
        Unlike: this process cannot be it.
    """
    name = os.fsdecode(os.path.basename(asked.argv[0]))
    environment = dict(word.partition(b"=")[::2] for word in asked.environment)
    locale = tuple(environment.get(name) for name in _LOCALE)
    alike = (
        name in COMMANDS
        and asked.build == own.build
        and asked.spaces == own.spaces
        and locale == own.locale
        and _gid(connection) == own.gid
        and _groups(connection) == own.groups
        and (fresh or asked.limits[resource.RLIMIT_CPU][0] == _INFINITY)
    )
    if not alike:
        raise Unlike
    return name


def _gid(connection: socket.socket) -> int:
    return peer(connection)[2]


def peer(connection: socket.socket) -> tuple[int, int, int]:
    """Return pid, uid and gid of who has connected, from the kernel."""
    told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    pid, uid, gid = struct.unpack("iII", told)
    return pid, uid, gid


def _groups(connection: socket.socket) -> tuple[int, ...]:
    told = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _GROUPS_BYTES)
    return tuple(sorted(struct.unpack(f"{len(told) // 4}I", told)))


def _take_environment(words: list[bytes], own: Own) -> None:
    found: dict[bytes, bytes] = {}
    for word in words:
        name, equals, value = word.partition(b"=")
        if equals and name:
            found.setdefault(name, value)  # the first one of a name counts
    os.environb.update(found)
    if own.coerced is not None:
        os.environb.setdefault(b"LC_CTYPE", own.coerced)
    time.tzset()


def _take_streams(streams: list[int]) -> None:
    """Put the streams in their places, and make what Python makes of them at its start."""
    for stream, given in enumerate(streams):
        os.dup2(given, stream)
        os.close(given)
    sys.stdin = _text(0, "r", _FIRST[0])
    sys.stdout = _text(1, "w", _FIRST[1])
    sys.stderr = _text(2, "w", _FIRST[2])


def _drop_streams() -> None:
    for one in (sys.stdin, sys.stdout, sys.stderr):
        # click remembers each stream that it has seen, and with it the buffers.
        with contextlib.suppress(OSError, ValueError):
            if isinstance(one, io.TextIOWrapper):
                one.detach()
    sys.stdin, sys.stdout, sys.stderr = _FIRST


def _text(stream: int, mode: str, like: TextIO) -> io.TextIOWrapper:
    raw = open(stream, mode + "b", closefd=False)  # noqa: SIM115 # it stays open to the end
    return io.TextIOWrapper(
        raw,
        encoding=like.encoding,
        errors=like.errors,
        newline="\n" if mode == "w" else None,
        line_buffering=stream == 2 or os.isatty(stream),
    )


def _die_with(life: int) -> None:
    """Have the kernel end this process (SIGIO) once the client's end of a pipe is closed.

    On a socket the kernel may also tell of data that has been read already, when the
    client is held up in sending them.
    """
    fcntl.fcntl(life, fcntl.F_SETOWN, os.getpid())
    flags = fcntl.fcntl(life, fcntl.F_GETFL)
    fcntl.fcntl(life, fcntl.F_SETFL, flags | os.O_ASYNC | os.O_NONBLOCK)
    try:
        gone = not os.read(life, 1)
    except BlockingIOError:
        return
    if gone:
        os._exit(0)


def _initial_environment() -> dict[bytes, bytes]:
    """Return the environment as the kernel passed it, before Python changed it."""
    with open("/proc/self/environ", "rb") as file:
        words = file.read().split(b"\0")
    pairs = (word.partition(b"=") for word in words if b"=" in word)
    return {name: value for name, _, value in pairs}
