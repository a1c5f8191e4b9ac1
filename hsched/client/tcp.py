"""Speaking with a broker over TCP: encrypted, and told of its end by the connection itself."""

from __future__ import annotations

import contextlib
import socket
import time

import zmq
from zmq.utils.monitor import recv_monitor_message

from hsched import network
from hsched.errors import NotPermitted, NotRunning

#: The connection is gone, or never came to be; then there is nobody to wait for.
_ENDS = (
    zmq.EVENT_DISCONNECTED
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
)

#: A broker that dies in the middle of the handshake, or one with another key.
_UNCLEAR = (zmq.EVENT_DISCONNECTED, zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL)
_SETTLE_S = 0.1

#: How often a connection is tried that ends in the middle of the handshake.
_ATTEMPTS = 3

#: The longest that one attempt to connect takes, in seconds.
_ATTEMPT_S = 5.0


def new_context() -> zmq.Context[zmq.Socket[bytes]]:
    """Return what :func:`connect` needs; who is done with it terminates it."""
    return zmq.Context()


def connect(
    context: zmq.Context[zmq.Socket[bytes]], tcp: network.Tcp, deadline: float
) -> tuple[zmq.Socket[bytes], zmq.Socket[bytes]]:
    """Return a socket to the broker at ``tcp``, and one that becomes readable at its end.

    Raises:
        NotRunning: nobody listens there.
        NotPermitted: there are no keys, or the broker does not know ours.
    """
    keys = network.keys_for(tcp)
    keys.own()
    for _ in range(_ATTEMPTS):
        # A broker that dies meanwhile looks like one that does not want us; then nobody is there.
        _knock(tcp, deadline)
        dealer, monitor = _connected(context, tcp, keys)
        left = min(deadline, time.monotonic() + _ATTEMPT_S) - time.monotonic()
        greeted = monitor.poll(max(1, int(left * 1000))) and recv_monitor_message(monitor)["event"]
        if greeted == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            return dealer, monitor
        close(dealer, monitor)
        if greeted not in _UNCLEAR:
            break
        time.sleep(_SETTLE_S)
    raise NotPermitted(
        f"the scheduler at {tcp} does not take our key ({network.key_file(tcp)}), or is "
        "another's; install the keys that its `hsched keys` has made"
    )


def _connected(
    context: zmq.Context[zmq.Socket[bytes]], tcp: network.Tcp, keys: network.Keys
) -> tuple[zmq.Socket[bytes], zmq.Socket[bytes]]:
    own = keys.own()
    dealer = context.socket(zmq.DEALER)
    dealer.set(zmq.IPV6, 1)
    dealer.set(zmq.CURVE_SERVERKEY, keys.server.public.encode())
    dealer.set(zmq.CURVE_PUBLICKEY, own.public.encode())
    dealer.set(zmq.CURVE_SECRETKEY, own.secret.encode())
    monitor = dealer.get_monitor_socket(_ENDS | zmq.EVENT_HANDSHAKE_SUCCEEDED)
    dealer.connect(tcp.endpoint)
    return dealer, monitor


def close(dealer: zmq.Socket[bytes], monitor: zmq.Socket[bytes]) -> None:
    """Close the sockets of :func:`connect`."""
    dealer.disable_monitor()
    monitor.close(linger=0)
    dealer.close(linger=0)


def _knock(tcp: network.Tcp, deadline: float) -> None:
    """Check that somebody listens: ZeroMQ itself would try for ever.

    Raises:
        NotRunning: nobody does.
    """
    try:
        with contextlib.closing(
            socket.create_connection(
                (tcp.host, tcp.port), max(0.1, min(_ATTEMPT_S, deadline - time.monotonic()))
            )
        ):
            return
    except OSError as error:
        raise NotRunning(
            f"nothing answers at {tcp} ({error.strerror or error}): bad state or not running; "
            "start it there with `hstart`, or unset HSCHED_HOST and HSCHED_PORT"
        ) from error
