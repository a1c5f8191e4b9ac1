"""What a thin client asks, and what it is answered; ``native/thin/thin.h`` is the other half."""

from __future__ import annotations

import os
import socket
import struct
from typing import NamedTuple

MAGIC = b"hthin/1\0"

_SPACES = 8

#: How many resource limits there are.
LIMITS = 16

_HEAD = struct.Struct(f"=8s16sIIIIQQ{_SPACES}Q2Q{2 * LIMITS}Q")
_REPLY = struct.Struct("=ii")

#: The streams, the working folder, and one end of a pipe.
_GIVEN = 5

#: What a reply is: nothing was done; a child is there, whose pidfd comes along; the exit
#: status that it ends with; its wait status, from its parent.
REFUSED, READY, STATUS, WAIT_STATUS = range(4)


class Unlike(Exception):
    """The caller differs from the warm process, or is gone: plain Python must do it."""


class Request(NamedTuple):
    """A thin client as it stands."""

    build: str
    argv: list[bytes]
    environment: list[bytes]
    umask: int
    ignored: int  # signals, bit N-1 for signal N
    blocked: int
    spaces: tuple[int, ...]  # inodes of the namespaces, and the root folder
    limits: list[tuple[int, int]]  # by number


def receive(connection: socket.socket) -> Request:
    """Return the request that comes in; it has been sent in full, or soon will be.

    Raises:
        Unlike: it is none of ours, or ends too early.
    """
    magic, build, size, argc, envc, umask, ignored, blocked, *rest = _HEAD.unpack(
        _exactly(connection, _HEAD.size)
    )
    words = _exactly(connection, size).split(b"\0")
    if magic != MAGIC or len(words) != argc + envc + 1:
        raise Unlike
    limits = rest[_SPACES + 2 :]
    return Request(
        build=build.decode("ascii", "replace"),
        argv=words[:argc],
        environment=words[argc:-1],
        umask=umask,
        ignored=ignored,
        blocked=blocked,
        spaces=tuple(rest[: _SPACES + 2]),
        limits=list(zip(limits[::2], limits[1::2], strict=True)),
    )


def await_begin(connection: socket.socket) -> list[int]:
    """Wait for the word to begin; return the streams, the working folder, and the client's life.

    That is the end of a pipe of which the client has the other end, as long as it lives.

    Raises:
        Unlike: it does not come, or not in full.
    """
    word, given, _, _ = socket.recv_fds(connection, 1, _GIVEN)
    if word != b"\0" or len(given) != _GIVEN:
        raise Unlike
    return given


def send(connection: socket.socket, kind: int, value: int, descriptor: int = -1) -> None:
    """Answer; a client that is gone does not mind."""
    try:
        if descriptor < 0:
            connection.send(_REPLY.pack(kind, value), socket.MSG_NOSIGNAL)
        else:
            socket.send_fds(connection, [_REPLY.pack(kind, value)], [descriptor])
    except OSError:
        pass


def spaces() -> tuple[int, ...]:
    """Return this process's own namespaces and root folder, as a request has them."""
    root = os.stat("/")
    return (
        *map(_space, ("mnt", "pid", "user", "net", "ipc", "uts", "cgroup", "time")),
        os.major(root.st_dev) << 32 | os.minor(root.st_dev),
        root.st_ino,
    )


def _space(name: str) -> int:
    try:
        return os.stat(f"/proc/self/ns/{name}").st_ino
    except OSError:
        return 0


def _exactly(connection: socket.socket, size: int) -> bytes:
    got = bytearray()
    while len(got) < size:
        more = connection.recv(min(size - len(got), 1 << 20))
        if not more:
            raise Unlike
        got += more
    return bytes(got)
