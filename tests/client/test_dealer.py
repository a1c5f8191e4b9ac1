"""The client's own half of ZeroMQ's protocol, against libzmq and against a peer that fails."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from hsched.client.dealer import Dealer, Poller

PATIENCE_S = 60.0

Router = zmq.Socket[bytes]


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "socket")


@pytest.fixture
def router(path: str) -> Iterator[Router]:
    with zmq.Context() as context, context.socket(zmq.ROUTER) as one:
        one.linger = 0
        one.rcvtimeo = int(PATIENCE_S * 1000)
        one.bind(f"ipc://{path}")
        yield one


@pytest.fixture
def dealer(path: str, router: Router) -> Iterator[Dealer]:
    with connected(path) as one:
        yield one


@pytest.fixture
def alone(path: str, listener: socket.socket) -> Iterator[Dealer]:
    """A dealer whose peer is the listener."""
    with connected(path) as one:
        yield one


def connected(path: str, patience_s: float = PATIENCE_S) -> contextlib.closing[Dealer]:
    return contextlib.closing(Dealer(path, time.monotonic() + patience_s))


@pytest.fixture
def listener(path: str) -> Iterator[socket.socket]:
    """A peer that is no libzmq."""
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(path)
        one.listen()
        yield one


def wait_for(dealer: Dealer) -> bool:
    poller = Poller()
    poller.register(dealer, select.POLLIN)
    return bool(poller.poll(int(PATIENCE_S * 1000)))


@pytest.mark.parametrize("size", [0, 1, 255, 256, 65536, 3_000_000])
def test_messages_of_all_sizes_go_and_come(router: Router, dealer: Dealer, size: int) -> None:
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    echo = threading.Thread(target=lambda: router.send_multipart(router.recv_multipart()))
    echo.start()
    dealer.send_multipart((b"header", body))
    assert wait_for(dealer)
    assert dealer.recv_multipart() == [b"header", body]
    echo.join()


def test_the_peer_is_told_by_the_kernel_who_speaks(router: Router, dealer: Dealer) -> None:
    dealer.send_multipart((b"a", b"b"))
    (*_, last) = router.recv_multipart(copy=False)
    kind, _uid, _gid, pid = str(last.get("Peer-Address")).split(":")
    assert (kind, pid) == ("localhost", Path("/proc/self").readlink().name)


def test_messages_that_come_at_once_are_all_seen(router: Router, dealer: Dealer) -> None:
    dealer.send_multipart((b"a", b"b"))
    route, *_ = router.recv_multipart()
    for number in range(20):
        router.send_multipart((route, b"%d" % number, b""))
    seen: list[list[bytes] | None] = []
    while len(seen) < 20:
        assert wait_for(dealer), "those that are here already must wake as well"
        seen.append(dealer.recv_multipart())
    assert seen == [[b"%d" % number, b""] for number in range(20)]


def test_nobody_there_is_an_error(path: str) -> None:
    with pytest.raises(FileNotFoundError):
        Dealer(path, time.monotonic() + PATIENCE_S)


def test_a_peer_that_hangs_up_has_no_message(listener: socket.socket, alone: Dealer) -> None:
    listener.accept()[0].close()
    alone.send_multipart((b"a", b"b"))
    assert wait_for(alone)
    assert alone.recv_multipart() is None


def test_a_peer_that_is_gone_before_the_greeting_has_no_message(
    listener: socket.socket, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = socket.socket.connect

    def connect_to_what_ends(one: socket.socket, address: str) -> None:
        connect(one, address)
        listener.close()

    monkeypatch.setattr(socket.socket, "connect", connect_to_what_ends)
    with contextlib.closing(Dealer(path, time.monotonic() + PATIENCE_S)) as dealer:
        dealer.send_multipart((b"a", b"b"))
        assert dealer.recv_multipart() is None


def test_half_a_message_is_none(
    listener: socket.socket, alone: Dealer, router_bytes: bytes
) -> None:
    with listener.accept()[0] as peer:
        peer.sendall(router_bytes + b"\1\4head\0\7bo")
    alone.send_multipart((b"a", b"b"))
    assert wait_for(alone)
    assert alone.recv_multipart() is None


def test_a_message_in_pieces_is_put_together(
    listener: socket.socket, alone: Dealer, router_bytes: bytes
) -> None:
    with listener.accept()[0] as peer:
        for byte in router_bytes + b"\1\4head\2\0\0\0\0\0\0\0\4body":
            peer.send(bytes([byte]))
    assert alone.recv_multipart() == [b"head", b"body"]


def test_who_is_not_greeted_gives_up_in_time(listener: socket.socket, path: str) -> None:
    with connected(path, 0.01) as dealer, pytest.raises(BlockingIOError):
        dealer.send_multipart((b"a", b"b"))


@pytest.fixture
def router_bytes(tmp_path: Path) -> bytes:
    """What libzmq says first."""
    other = str(tmp_path / "other")
    with zmq.Context() as context, context.socket(zmq.ROUTER) as router:
        router.bind(f"ipc://{other}")
        with connected(other) as dealer:
            said = b""
            while b"Identity\0\0\0\0" not in said:
                assert wait_for(dealer)
                said += os.read(dealer.fileno(), 1000)
    return said
