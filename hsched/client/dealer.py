"""A DEALER socket of ZeroMQ on a Unix socket, without libzmq.

Loading libzmq, and its threads, which each context starts and joins, cost a short command
more than all that it says.  Of ZMTP 3.0 (https://rfc.zeromq.org/spec/23) this is what a
client needs that has one peer.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import time

_MORE, _LONG, _COMMAND = 1, 2, 4

_GREETING_BYTES = 64
_SIGNATURE = b"\xff\0\0\0\0\0\0\0\x01\x7f"

#: Version 3.0, no security: the kernel tells the peer who we are, and it is no server.
_GREETING = (_SIGNATURE + b"\x03\0" + b"NULL").ljust(_GREETING_BYTES, b"\0")


def _property(name: bytes, value: bytes) -> bytes:
    return bytes([len(name)]) + name + struct.pack(">I", len(value)) + value


_READY = b"\x05READY" + _property(b"Socket-Type", b"DEALER") + _property(b"Identity", b"")

_PIECE = 1 << 18  # bytes

#: How long the rest of a message may take whose beginning is here, in seconds.
_REST_S = 10.0


class Dealer:
    """One connection; it never comes back, and its end is told as a message that is None."""

    def __init__(self, path: str, deadline: float) -> None:
        """Connect to the socket at ``path``, and greet; sending gives up at ``deadline``.

        What the peer says to that is waited for when there is something to send; that it
        is gone by now is told by :meth:`recv_multipart`.

        Raises:
            BlockingIOError: it takes nobody in, and the time is up.
            OSError: nobody listens there.
        """
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._got = bytearray()
        self._greeted = self._ready = False
        self._frames: list[bytes] = []  # of a message that is not whole
        self._messages: list[list[bytes]] = []
        try:
            self._limit(socket.SO_SNDTIMEO, max(0.001, deadline - time.monotonic()))
            self._limit(socket.SO_RCVTIMEO, max(0.001, deadline - time.monotonic()))
            self._socket.connect(path)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._socket.send(_GREETING + _frame(_COMMAND, _READY))
        except BaseException:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """Return the descriptor, which is readable when something comes; -1 once closed."""
        return self._socket.fileno()

    def close(self) -> None:
        """Let go of the connection, and of what it has not sent."""
        self._socket.close()

    def send_multipart(self, frames: tuple[bytes, ...]) -> None:
        """Send a message; a peer that is gone is told by :meth:`recv_multipart`.

        Raises:
            BlockingIOError: it takes nothing, and the time is up.
        """
        *first, last = frames
        message = b"".join([*(_frame(_MORE, one) for one in first), _frame(0, last)])
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._await_ready()
            self._socket.sendall(message)

    def _await_ready(self) -> None:
        # libzmq takes what follows our READY for a mistake until it has sent its own.
        while not self._ready:
            if not self._receive():
                return
            self._take_apart()
        self._limit(socket.SO_RCVTIMEO, _REST_S)

    def _receive(self) -> bool:
        """Take in what comes next; False where the peer has hung up."""
        piece = self._socket.recv(_PIECE)
        self._got += piece
        return bool(piece)

    @property
    def has_message(self) -> bool:
        """Whether a whole message is here already, so that the descriptor may stay silent."""
        self._take_apart()
        return bool(self._messages)

    def recv_multipart(self) -> list[bytes] | None:
        """Return the frames of a message; None where the peer has hung up.

        Blocks where only a part of them has come, and takes a peer that leaves it at that
        for one that is gone.
        """
        while not self.has_message:
            try:
                if not self._receive():
                    return None
            except (ConnectionResetError, BlockingIOError):
                return None
        return self._messages.pop(0)

    def _take_apart(self) -> None:
        while (piece := self._next_frame()) is not None:
            flags, content = piece
            if flags & _COMMAND:
                self._ready = True  # it says READY first
            else:
                self._frames.append(content)
                if not flags & _MORE:
                    self._messages.append(self._frames)
                    self._frames = []

    def _next_frame(self) -> tuple[int, bytes] | None:
        """Take one frame off what has come, with its flags; None where it is not all there."""
        got = self._got
        if not self._greeted:
            if len(got) < _GREETING_BYTES:
                return None
            del got[:_GREETING_BYTES]
            self._greeted = True
        if len(got) < 2:
            return None
        head, size = 2, got[1]
        if got[0] & _LONG:
            if len(got) < 9:
                return None
            head, size = 9, int.from_bytes(got[1:9], "big")
        if len(got) < head + size:
            return None
        content = bytes(memoryview(got)[head : head + size])
        flags = got[0]
        del got[: head + size]
        return flags, content

    def _limit(self, option: int, seconds: float) -> None:
        whole, part = divmod(int(seconds * 1_000_000), 1_000_000)
        self._socket.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", whole, part))


class Poller:
    """As :class:`zmq.Poller`, for dealers and descriptors."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._known: dict[int, Dealer | int] = {}

    def register(self, one: Dealer | int, events: int) -> None:
        """Wait for ``one`` as well."""
        descriptor = one if isinstance(one, int) else one.fileno()
        self._known[descriptor] = one
        self._poll.register(descriptor, events)

    def poll(self, timeout_ms: int | None) -> list[tuple[Dealer | int, int]]:
        """Return what is readable, after ``timeout_ms`` at the latest; None is for ever."""
        for one in self._known.values():
            if isinstance(one, Dealer) and one.has_message:
                return [(one, select.POLLIN)]
        found = self._poll.poll(timeout_ms)
        return [(self._known[descriptor], events) for descriptor, events in found]


def _frame(flags: int, content: bytes) -> bytes:
    size = len(content)
    if size < 256:
        return bytes((flags, size)) + content
    return struct.pack(">BQ", flags | _LONG, size) + content
