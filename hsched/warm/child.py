"""How a fork of the warm process becomes the command that a thin client stands for.

It takes over everything that a program inherits from who runs it, so that nobody can
tell it from the command in plain Python.
"""

from __future__ import annotations

import fcntl
import importlib
import io
import os
import resource
import signal
import socket
import struct
import sys
import time
import traceback
from typing import NamedTuple, NoReturn, TextIO

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


def wait_for_turn(channel: socket.socket, own: Own) -> NoReturn:
    """Be the spare: rehearse, and become the command of the connection that is handed over."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until the command knows what to do with it
    set_title("hsched-spare")
    rehearse()
    _, given, _, _ = socket.recv_fds(channel, 1, 1)
    if not given:
        os._exit(0)  # the warm process has left
    channel.close()
    become(socket.socket(fileno=given[0]), own)


def set_title(title: str) -> None:
    """Show ``title`` as the name of this process in ps."""
    with open("/proc/self/comm", "w", encoding="ascii") as comm:
        comm.write(title)


def become(connection: socket.socket, own: Own) -> NoReturn:
    """Be the command that comes in on ``connection``, and end as it does."""
    try:
        asked = request.receive(connection)
        name = _check(asked, connection, own)
        _take_limits(asked, own)
        request.send(connection, request.READY, 0, os.pidfd_open(os.getpid()))
        _take_over(asked, own)
        *streams, folder = request.await_begin(connection)
        _take_streams(streams)
        os.fchdir(folder)
        os.close(folder)
        set_title(name)
        _die_with(connection)
    except (Unlike, OSError, ValueError):
        request.send(connection, request.REFUSED, 0)
        os._exit(0)

    def tell(status: int) -> NoReturn:
        # Whoever waits for the end of our output must find it at its end.
        for stream in (0, 1, 2):
            os.close(stream)
        request.send(connection, request.STATUS, status)
        os._exit(status)

    common.leave = tell
    if not asked.ignored >> (signal.SIGINT - 1) & 1:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        importlib.import_module(f"hsched.cli.{name}").main()
    except BaseException:  # a bug of ours, of which plain Python would say the same
        traceback.print_exc()
    tell(1)


def _check(asked: Request, connection: socket.socket, own: Own) -> str:
    """Return which command is asked for.

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


def _take_limits(asked: Request, own: Own) -> None:
    """Take over the resource limits.

    Raises:
        OSError, ValueError: one is above our own.
    """
    for number, limit in enumerate(asked.limits):
        signed = tuple(-1 if value == _INFINITY else value for value in limit)
        if signed != own.limits[number]:
            resource.setrlimit(number, (signed[0], signed[1]))


def _take_over(asked: Request, own: Own) -> None:
    os.umask(asked.umask)
    _take_environment(asked.environment, own)
    _take_signals(asked)
    sys.argv = [os.fsdecode(word) for word in asked.argv]


def _take_environment(words: list[bytes], own: Own) -> None:
    for word in words:
        name, equals, value = word.partition(b"=")
        if equals and name and name not in os.environb:  # the first one of a name counts
            os.environb[name] = value
    if own.coerced is not None:
        os.environb.setdefault(b"LC_CTYPE", own.coerced)
    time.tzset()


def _take_signals(asked: Request) -> None:
    for number in range(1, 32):
        if asked.ignored >> (number - 1) & 1:
            signal.signal(number, signal.SIG_IGN)
    if asked.blocked:
        blocked = {n for n in range(1, signal.NSIG) if asked.blocked >> (n - 1) & 1}
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _take_streams(streams: list[int]) -> None:
    """Put the streams in their places, and make what Python makes of them at its start."""
    for stream, given in enumerate(streams):
        os.dup2(given, stream)
        os.close(given)
    sys.stdin = _text(0, "r", sys.stdin)
    sys.stdout = _text(1, "w", sys.stdout)
    sys.stderr = _text(2, "w", sys.stderr)


def _text(stream: int, mode: str, like: TextIO) -> io.TextIOWrapper:
    raw = open(stream, mode + "b", closefd=False)  # noqa: SIM115 # it stays open to the end
    return io.TextIOWrapper(
        raw,
        encoding=like.encoding,
        errors=like.errors,
        newline="\n" if mode == "w" else None,
        line_buffering=stream == 2 or os.isatty(stream),
    )


def _die_with(connection: socket.socket) -> None:
    """Have the kernel end this process (SIGIO) once the client's end is closed."""
    connection.setblocking(True)
    fcntl.fcntl(connection, fcntl.F_SETOWN, os.getpid())
    flags = fcntl.fcntl(connection, fcntl.F_GETFL)
    fcntl.fcntl(connection, fcntl.F_SETFL, flags | os.O_ASYNC)
    try:
        gone = not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
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
