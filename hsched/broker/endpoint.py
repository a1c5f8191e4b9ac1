"""The socket: where requests come in and replies go out.

Who the peer is comes from the kernel: libzmq notes the credentials of each ipc
connection, and a message whose uid is not ours is refused.  Over TCP it is who has the
key (:mod:`hsched.broker.gate`).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import zmq

from hsched import paths
from hsched.errors import HschedError
from hsched.wire.frames import (
    MAX_MESSAGE,
    PROTOCOL_VERSION,
    ErrorReply,
    Header,
    parse_header,
)
from hsched.wire.message import Message, to_json

if TYPE_CHECKING:
    from hsched.broker.gate import Gate
    from hsched.network import Tcp

#: The longest path that fits into a Unix socket's address, in bytes.
_MAX_SOCKET_PATH = 107

#: How many messages one turn takes in, so that a flood does not hold up the jobs.
_MESSAGES_A_TURN = 512

_POLLIN = int(zmq.POLLIN)


class Peer(NamedTuple):
    """Whom to answer, and who that is: the routing id, and uid and pid from the kernel."""

    route: bytes
    uid: int
    pid: int


class Incoming(NamedTuple):
    """One request as it arrived."""

    peer: Peer
    header: Header
    body: bytes


class Endpoint:
    """A ROUTER socket on a path of ours."""

    def __init__(self, path: str, tcp: Tcp | None = None) -> None:
        """Bind; what stands at ``path`` is replaced, so the caller must hold the lock.

        Raises:
            HschedError: ``tcp`` cannot be had, or there are no keys for it.
        """
        self.path = path
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        self._socket.set(zmq.MAXMSGSIZE, MAX_MESSAGE)
        self._socket.set(zmq.ROUTER_MANDATORY, 1)
        self._socket.set(zmq.LINGER, 500)
        self._socket.set(zmq.SNDHWM, 100_000)
        self._socket.bind(self.address)
        self.gate: Gate | None = None
        if tcp is not None:
            from hsched.broker.gate import Gate  # for few

            self.gate = Gate(self._context, self._socket, tcp)

    @property
    def address(self) -> str:
        """What a client connects to."""
        return f"ipc://{self.path}"

    @property
    def descriptor(self) -> int:
        """The descriptor that becomes readable, edge-triggered, when :meth:`receive` may give."""
        return int(self._socket.get(zmq.FD))

    @property
    def readable(self) -> bool:
        """Whether a message waits; ask before sleeping, for the descriptor tells only once."""
        events: int = self._socket.get(zmq.EVENTS)  # type: ignore[assignment] # this option is one
        return bool(events & _POLLIN)

    def wait(self, seconds: float) -> bool:
        """Wait for a message and for nothing else; return whether there is one."""
        return bool(self._socket.poll(int(seconds * 1000)))

    def rebind(self) -> None:
        """Make the socket file anew after somebody removed it; connections go on."""
        with contextlib.suppress(zmq.ZMQError):
            self._socket.unbind(self.address)
        self._socket.bind(self.address)

    def close(self) -> None:
        """Send what is on its way, for half a second at most, and remove the socket."""
        if self.gate is not None:
            self.gate.close()
        self._socket.close()
        self._context.term()
        with contextlib.suppress(OSError):
            os.unlink(self.path)
            os.rmdir(os.path.dirname(self.path))  # where it was made for the socket alone

    def receive(self) -> Iterator[Incoming]:
        """Yield the requests that wait, as far as they are requests and ours."""
        for _ in range(_MESSAGES_A_TURN):
            if not self.readable:
                return
            frames = self._socket.recv_multipart(zmq.NOBLOCK, copy=False)
            if (incoming := self._accept(frames)) is not None:
                yield incoming

    def reply(self, peer: Peer, word: str, key: str, body: bytes) -> bool:
        """Send one reply; False where the peer is gone."""
        header = Header(PROTOCOL_VERSION, word, key).encode()
        try:
            self._socket.send_multipart((peer.route, header, body), zmq.NOBLOCK)
        except zmq.ZMQError:
            return False
        return True

    def refuse(self, peer: Peer, key: str, error: HschedError) -> None:
        """Answer a request with an error."""
        self.reply(peer, "error", key, error_body(error))

    def _accept(self, frames: list[zmq.Frame]) -> Incoming | None:
        try:
            uid, pid = _credentials(frames[-1])
            peer = Peer(frames[0].bytes, uid, pid)
            header = parse_header(frames[1].bytes)
            body = frames[2].bytes
        except (HschedError, zmq.ZMQError, IndexError, ValueError):
            return None  # no request of ours; whoever sent it gets nothing
        if peer.uid != os.geteuid():
            self.reply(peer, "error", header.key, _not_yours(peer.uid))
            return None
        return Incoming(peer, header, body)


def _credentials(frame: zmq.Frame) -> tuple[int, int]:
    """Return uid and pid of who sent a frame; over TCP ours and 0, for who has the key.

    Raises:
        ValueError: it came over TCP from nobody that was let in.
    """
    host, *numbers = str(frame.get("Peer-Address")).rsplit(":", 3)
    if host == "localhost" and len(numbers) == 3:  # which no numeric address looks like
        return int(numbers[0]), int(numbers[2])
    if not frame.get("User-Id"):
        raise ValueError("over TCP without a key")
    return os.geteuid(), 0


def error_body(error: HschedError) -> bytes:
    """Return the body of the reply that stands for ``error``."""
    return to_json(ErrorReply(kind=type(error).__name__, text=str(error)))


def encode(message: Message) -> bytes:
    """Return the body of a reply."""
    return to_json(message)


def _not_yours(uid: int) -> bytes:
    text = f"this scheduler belongs to uid {os.geteuid()}, you are uid {uid}; start your own"
    return to_json(ErrorReply(kind="NotPermitted", text=text))


def choose_socket(place: paths.Place) -> str:
    """Return where the socket goes: beside the store, else in a private folder in TMPDIR.

    Not in XDG_RUNTIME_DIR, which goes away at logout and is absent under cron.

    Raises:
        NotPermitted: the folder in TMPDIR is not ours.
    """
    beside = os.path.join(place.folder, "socket")
    if _fits(beside) and not paths.is_on_network(place.folder):
        return beside
    name = hashlib.sha256(os.fsencode(place.folder)).hexdigest()[:24]
    folders = [os.path.join(top, f"hsched-{os.geteuid()}") for top in _temporary()]
    folder = next(one for one in folders if _fits(os.path.join(one, name)))
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder, 0o700)
    paths.check_private(folder)
    return os.path.join(folder, name)


def _temporary() -> tuple[str, str]:
    return os.environ.get("TMPDIR") or "/tmp", "/tmp"


def _fits(path: str) -> bool:
    return len(os.fsencode(path)) <= _MAX_SOCKET_PATH
