"""One conversation with a broker, over its death and return.

A request is sent until it is answered or the time is up, with the same key each
time, so that it is done once.  Nothing here polls: the socket and the broker's
pidfd wake us.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Sequence
from select import POLLIN
from typing import TYPE_CHECKING, Any, TypeVar

from hsched import paths
from hsched.client import launch
from hsched.client.dealer import Dealer, Poller
from hsched.errors import (
    MalformedMessage,
    NoAnswer,
    NotPermitted,
    NotRunning,
    ProtocolMismatch,
    Refused,
)
from hsched.wire.frames import MAX_MESSAGE, PROTOCOL_VERSION, ErrorReply, Header, parse_header
from hsched.wire.message import Message, from_json, to_json

if TYPE_CHECKING:
    import zmq

    from hsched.network import Tcp

    #: What can be waited for.
    Source = Dealer | zmq.Socket[bytes] | int

M = TypeVar("M", bound=Message)

#: How long to wait before looking again for a broker that is just coming up, in seconds.
_SETTLE_S = 0.02
_SETTLE_MS = 20

#: A broker that has told its address for so long has bound all that it will, in seconds.
_SURELY_UP_S = 2.0


def new_key() -> str:
    """Return a fresh request key: 128 random bits as 32 hex digits."""
    return os.urandom(16).hex()


class Connection:
    """A socket to the broker of one place; made at the first request.

    ``timeout`` bounds each request, in seconds; a broker that was killed is brought
    back within it.
    """

    def __init__(self, place: paths.Place, timeout: float) -> None:
        self.place = place
        self.timeout = timeout
        self._context: zmq.Context[zmq.Socket[bytes]] | None = None
        self._socket: Dealer | zmq.Socket[bytes] | None = None
        self._broker = -1
        # Over TCP there is no process to watch, but a connection that ends.
        self._monitor: zmq.Socket[bytes] | None = None
        self._tcp: Tcp | None = None
        if os.environ.get("HSCHED_HOST") or os.environ.get("HSCHED_PORT"):
            from hsched import network  # for few

            self._tcp = network.address()

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def is_remote(self) -> bool:
        """Whether the broker may run on another machine."""
        return self._tcp is not None and not self._tcp.is_loopback

    def close(self) -> None:
        """Drop the socket; the next request makes a new one."""
        if self._socket is not None:
            if isinstance(self._socket, Dealer):
                self._socket.close()
            elif self._monitor is None:
                self._socket.close(linger=0)
            else:
                from hsched.client import tcp  # for few

                tcp.close(self._socket, self._monitor)
            self._socket = self._monitor = None
        if self._context is not None:
            self._context.term()
            self._context = None
        if self._broker >= 0:
            os.close(self._broker)
            self._broker = -1

    def call(self, request: Message, reply: type[M], key: str | None = None) -> M:
        """Send ``request`` and return the broker's reply.

        Raises:
            NotRunning: there is no scheduler of this name.
            NoAnswer: the time is up; the request may or may not have been done.
            HschedError: what the broker answered.
        """
        key = key or new_key()
        deadline = time.monotonic() + self.timeout
        self.send(request, key, deadline)
        while True:
            frames = self.receive(deadline)
            if frames is None:
                self.send(request, key, deadline)
            elif frames[0].key == key:
                return read_reply(frames, reply)

    def send(self, request: Message, key: str, deadline: float) -> None:
        """Send ``request``, with a broker there to take it.

        Raises:
            NotRunning: there is no scheduler of this name.
            NoAnswer: the time was up before one came back.
            Refused: the message would be too large.
        """
        verb: str = request.VERB  # type: ignore[attr-defined] # requests have one, replies not
        header = Header(PROTOCOL_VERSION, verb, key).encode()
        socket = self._connected(deadline)
        body = to_json(request)  # while the broker greets us
        if len(body) > MAX_MESSAGE:
            size = f"{len(body) >> 20} MiB, and a message has {MAX_MESSAGE >> 20} at most"
            raise Refused(f"that is {size}; submit it in several parts")
        try:
            socket.send_multipart((header, body))
        except BlockingIOError:
            self.close()
            raise self._no_answer() from None
        except BaseException:
            self.close()  # which has a part of it
            raise

    def receive(self, deadline: float | None) -> tuple[Header, bytes] | None:
        """Return what the broker says next; None where it died, and must be asked again.

        Raises:
            NoAnswer: the time is up.
        """
        assert self._socket is not None, "send comes first"
        poller = self._poller(self._socket)
        return self._taken(poller.poll(_milliseconds_or_none(deadline)))

    def _taken(self, events: Iterable[tuple[Any, int]]) -> tuple[Header, bytes] | None:
        """Return what has come, as :meth:`receive` does; no events are a time that is up."""
        assert self._socket is not None, "only who has one can wait for it"
        ready = dict(events)
        if self._socket in ready:
            frames = self._socket.recv_multipart()
            if frames is not None:
                header, body = frames
                return parse_header(header), body
            # Hung up: mostly it is just ending, and else has no room, and must not be pressed.
            self._poller().poll(_SETTLE_MS)
        self.close()
        if ready:
            return None
        raise self._no_answer()

    def has_news(self, other: int, deadline: float | None) -> bool:
        """Wait as :meth:`receive` would; False where only the descriptor ``other`` is readable."""
        assert self._socket is not None, "send comes first"
        poller = self._poller(self._socket, other)
        left = _milliseconds_or_none(deadline)
        return [one for one, _ in poller.poll(left)] != [other]

    def _no_answer(self) -> NoAnswer:
        return NoAnswer(f"scheduler {self.place.name} did not answer in {self.timeout:g} s")

    def wait_for_end(self, deadline: float) -> bool:
        """Wait until the broker's process is gone; False where the time was up first."""
        if self._broker < 0 and self._monitor is None:
            return True
        poller = self._poller()
        return bool(poller.poll(_milliseconds(deadline)))

    def _poller(self, *others: Source) -> Any:
        """Return what wakes at the broker's end, and for ``others``."""
        poller = self._new_poller()
        for one in (self._end, *others):
            poller.register(one, POLLIN)
        return poller

    @property
    def _end(self) -> Source:
        """What becomes readable when the broker is gone."""
        return self._broker if self._monitor is None else self._monitor

    @property
    def _sources(self) -> frozenset[Source]:
        assert self._socket is not None, "send comes first"
        return frozenset((self._socket, self._end))

    def _new_poller(self) -> Any:
        if self._monitor is None:
            return Poller()
        import zmq  # for few, and slow to import

        return zmq.Poller()

    def _connected(self, deadline: float) -> Dealer | zmq.Socket[bytes]:
        while self._socket is None:
            if self._tcp is not None and self._connect_tcp(self._tcp, deadline):
                break
            address = paths.read_address(self.place)
            if not paths.is_locked(self.place):
                if address is None:
                    raise not_running(self.place.name)
                launch.revive(self.place, deadline)
            elif address is None or self._tcp is not None or not self._connect(address, deadline):
                # One is on its way up, or down.
                if time.monotonic() > deadline:
                    raise NoAnswer(f"scheduler {self.place.name} is not coming up")
                time.sleep(_SETTLE_S)
        assert self._socket is not None, "each way out of the loop has made one"
        return self._socket

    def _connect_tcp(self, tcp: Tcp, deadline: float) -> bool:
        """Connect over TCP; False where a broker of ours on this machine has to come up first.

        Raises:
            NotRunning: nobody listens there.
            NotPermitted: our key is not taken.
        """
        from hsched.client.tcp import connect, new_context  # for few

        context = new_context()
        try:
            self._socket, self._monitor = connect(context, tcp, deadline)
        except NotRunning:
            context.term()
            if not tcp.is_loopback:
                raise
            if paths.read_address(self.place) is None:
                raise not_running(self.place.name) from None
            if paths.is_locked(self.place) and _age_s(self.place.address) > _SURELY_UP_S:
                raise NotRunning(
                    f"scheduler {self.place.name} runs, and does not listen at {tcp}; it does "
                    "where HSCHED_HOST and HSCHED_PORT are set when it is started"
                ) from None
            return False
        except BaseException:
            context.term()
            raise
        self._context = context
        return True

    def _connect(self, address: paths.Address, deadline: float) -> bool:
        """Connect to a live broker; False where ``address`` is out of date."""
        try:
            check_socket(address.endpoint.removeprefix("ipc://"))
            self._broker = os.pidfd_open(address.pid)
            self._socket = self._open(address.endpoint, deadline)
        except (FileNotFoundError, ProcessLookupError, ConnectionRefusedError):
            self.close()
            return False
        except BlockingIOError:
            self.close()
            raise self._no_answer() from None
        return True

    def _open(self, endpoint: str, deadline: float) -> Dealer | zmq.Socket[bytes]:
        return Dealer(endpoint.removeprefix("ipc://"), deadline)


def wait_for_any(
    connections: Sequence[Connection], others: Iterable[int] = (), deadline: float | None = None
) -> list[Connection]:
    """Wait until brokers have said something or are gone, and return the connections to them.

    There are none where only one of the descriptors ``others`` is readable, or the time is up.
    Each connection must have sent something.
    """
    poller: Any = connections[0]._new_poller() if connections else Poller()
    for one in (*(source for each in connections for source in each._sources), *others):
        poller.register(one, POLLIN)
    ready = {one for one, _ in poller.poll(_milliseconds_or_none(deadline))}
    return [each for each in connections if not ready.isdisjoint(each._sources)]


def read_reply(frames: tuple[Header, bytes], reply: type[M]) -> M:
    """Return the message in ``frames``, or raise the error in it."""
    header, body = frames
    if header.version != PROTOCOL_VERSION:
        raise ProtocolMismatch(
            f"the broker speaks protocol {header.version}, this command {PROTOCOL_VERSION}; "
            "run `hstart --restart` with the newer of the two"
        )
    if header.word == "error":
        raise from_json(ErrorReply, body).exception()
    if header.word not in ("ok", "changes"):
        raise MalformedMessage(f"the broker answered `{header.word}`")
    return from_json(reply, body)


def not_running(name: str) -> NotRunning:
    """Return the error for a scheduler that does not run, with the way out."""
    option = "" if name == paths.DEFAULT_NAME else f" -n {name}"
    return NotRunning(f"scheduler {name}: bad state or not running; start it with `hstart{option}`")


def check_socket(path: str) -> None:
    """Check that the socket at ``path`` is ours.

    Raises:
        NotPermitted: it is somebody else's, or no socket.
        FileNotFoundError: there is none.
    """
    found = os.lstat(path)
    if found.st_uid != os.geteuid() or not stat.S_ISSOCK(found.st_mode):
        raise NotPermitted(f"{path} is not a socket of yours; remove it and run `hstart`")


def _age_s(path: str) -> float:
    """Return how many seconds ago a file was written; 0 where it is just going."""
    try:
        return time.time() - os.stat(path).st_mtime
    except FileNotFoundError:
        return 0.0


def _milliseconds(deadline: float) -> int:
    """Return the time left until ``deadline``, rounded up so that nobody wakes early."""
    return max(0, int((deadline - time.monotonic()) * 1000) + 1)


def _milliseconds_or_none(deadline: float | None) -> int | None:
    return None if deadline is None else _milliseconds(deadline)
