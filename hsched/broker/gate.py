"""Listening on TCP: encrypted by CURVE, and open to those alone whose key is known.

libzmq asks over a socket within the process who may come in (ZeroMQ RFC 27, ZAP).  The
keys are read anew for each who comes, so what `hsched keys` changes counts at once.
"""

from __future__ import annotations

import logging
import socket

import zmq
from zmq.utils import z85

from hsched import network
from hsched.errors import HschedError

log = logging.getLogger("hsched")

_ZAP = "inproc://zeromq.zap.01"
_MECHANISM, _KEY = 5, 6


class Gate:
    """Lets a ROUTER listen on a TCP address, and answers who may speak with it.

    ``descriptor`` becomes readable, edge-triggered, when :meth:`answer` may have to.
    """

    def __init__(
        self, context: zmq.Context[zmq.Socket[bytes]], router: zmq.Socket[bytes], tcp: network.Tcp
    ) -> None:
        """Bind.

        Raises:
            HschedError: there are no keys, or the address cannot be had.
        """
        self._tcp = tcp
        server = network.keys_for(tcp).server
        if not server.secret:
            raise HschedError(
                f"{network.key_file(tcp)} has the keys of a client; a scheduler needs its own"
            )
        self._zap = context.socket(zmq.REP)
        self._zap.bind(_ZAP)
        try:
            # What is set from here on counts for this address, and not for the socket file.
            router.set(zmq.IPV6, 1)
            router.set(zmq.CURVE_SECRETKEY, server.secret.encode())
            router.set(zmq.CURVE_SERVER, 1)
            router.bind(_numeric(tcp).endpoint)
        except (zmq.ZMQError, OSError) as error:
            self._zap.close(linger=0)
            raise HschedError(f"cannot listen at {tcp}: {error.strerror}") from error
        finally:
            router.set(zmq.CURVE_SERVER, 0)

    @property
    def descriptor(self) -> int:
        """What tells that somebody may want to come in."""
        return int(self._zap.get(zmq.FD))

    def answer(self) -> None:
        """Answer all who want to come in."""
        while int(self._zap.get(zmq.EVENTS)) & zmq.POLLIN:
            request = self._zap.recv_multipart()
            name = self._name(request)
            status = [b"200", b"OK"] if name else [b"400", b"this key is not known"]
            if not name:
                log.warning("refused a key at %s", self._tcp)
            self._zap.send_multipart([*request[:2], *status, (name or "").encode(), b""])

    def close(self) -> None:
        """Answer nobody any more."""
        self._zap.close(linger=0)

    def _name(self, request: list[bytes]) -> str | None:
        """Return the name of the client whose key a request has, None where it is unknown."""
        if len(request) <= _KEY or request[_MECHANISM] != b"CURVE":
            return None
        try:
            return network.keys_for(self._tcp).name_of(z85.encode(request[_KEY]).decode())
        except HschedError as error:
            log.warning("%s", error)
            return None


def _numeric(tcp: network.Tcp) -> network.Tcp:
    """Return the address without a name in it, for ZeroMQ binds to none.

    Raises:
        OSError: nobody knows the name.
    """
    found = socket.getaddrinfo(tcp.host, tcp.port, type=socket.SOCK_STREAM)
    return network.Tcp(str(found[0][4][0]), tcp.port)
