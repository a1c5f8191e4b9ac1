"""Doing what commands do, to no effect, so that the pages are there that it writes to."""

from __future__ import annotations

import contextlib
import io
import os

import zmq

from hsched.cli import hjobs, hsubmit
from hsched.client.context import capture
from hsched.wire.frames import PROTOCOL_VERSION, Header, parse_header
from hsched.wire.message import from_json, to_json
from hsched.wire.submit import JobSpec, SubmitReply, SubmitRequest

#: Nobody listens there: the name of a socket that no file has.
_NOWHERE = "ipc://@"


def rehearse() -> None:
    """Do what a command does, also with ZeroMQ: for a spare."""
    with contextlib.suppress(Exception):  # whatever it is, the command will tell it better
        talk()
        _connect()


def talk() -> None:
    """Parse words, write and read messages."""
    hsubmit.command.make_context("hsubmit", ["--hold", "1", "true"])
    hjobs.command.make_context("hjobs", ["--json"])
    request = SubmitRequest(context=capture(), jobs=(JobSpec(slots="1", argv=("true",)),))
    parse_header(Header(PROTOCOL_VERSION, "submit", "0" * 32).encode())
    to_json(request)
    from_json(SubmitReply, b'{"ids":["1"]}')
    with open(os.devnull, "wb") as null:
        io.TextIOWrapper(null, line_buffering=True).write("1\n")


def _connect() -> None:
    with zmq.Context() as context, context.socket(zmq.DEALER) as dealer:
        dealer.linger = 0
        dealer.connect(f"{_NOWHERE}hsched-rehearsal-{os.getpid()}")
        dealer.send_multipart((b"", b""))
        poller = zmq.Poller()
        poller.register(dealer, zmq.POLLIN)
        poller.poll(0)
