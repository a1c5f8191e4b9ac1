"""Doing what commands do, to no effect, so that the pages are there that it writes to."""

from __future__ import annotations

import contextlib
import io
import os

from hsched.cli import hhold, hjobs, hkill, hnslots, hrelease, hstatus, hsubmit, hupdate
from hsched.client.context import capture
from hsched.wire.frames import PROTOCOL_VERSION, Header, parse_header
from hsched.wire.message import from_json, to_json
from hsched.wire.submit import JobSpec, SubmitReply, SubmitRequest


def rehearse() -> None:
    """Do what a command does: for a spare."""
    with contextlib.suppress(Exception):  # whatever it is, the command will tell it better
        talk()


def parse() -> None:
    """Parse words for each command, which then knows what options come to that are not typed."""
    for module, words in (
        (hsubmit, ["1", "true"]),
        (hjobs, []),
        (hkill, ["1"]),
        (hnslots, []),
        (hstatus, []),
        (hhold, ["1"]),
        (hrelease, ["1"]),
        (hupdate, ["1"]),
    ):
        module.command.make_context(None, list(words))


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
