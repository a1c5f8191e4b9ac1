"""The envelope: two frames, a header line and a JSON body.

``hsched/1 VERB KEY`` goes to the broker, ``hsched/1 OUTCOME KEY`` comes back,
where OUTCOME is ``ok``, ``error`` or ``changes``.  KEY is 32 hex digits made by
the client: it pairs replies with requests, and a request that changes something
is done once per key.
"""

from __future__ import annotations

from typing import NamedTuple

from hsched import errors
from hsched.wire.message import Message

PROTOCOL_VERSION = 1

#: A message larger than this, in bytes, is dropped with its connection.
MAX_MESSAGE = 64 << 20


class Header(NamedTuple):
    """What stands before the body."""

    version: int
    word: str  # the verb of a request, the outcome of a reply
    key: str

    def encode(self) -> bytes:
        """Return the header's bytes."""
        return f"hsched/{self.version} {self.word} {self.key}".encode()


class ErrorReply(Message):
    """A request was not done; ``kind`` is the name of a class in :mod:`hsched.errors`."""

    kind: str
    text: str

    def exception(self) -> errors.HschedError:
        """Return the exception that this reply stands for."""
        return errors.by_name(self.kind)(self.text)


def parse_header(frame: bytes) -> Header:
    """Return the header in ``frame``; its version may be one we do not speak.

    Raises:
        MalformedMessage: it is no header.
    """
    words = frame[:128].split(b" ")
    try:
        name, _, version = words[0].decode("ascii").partition("/")
        word, key = words[1].decode("ascii"), words[2].decode("ascii")
    except (IndexError, UnicodeDecodeError) as error:
        raise errors.MalformedMessage("no header") from error
    if len(words) != 3 or name != "hsched" or not version.isdigit() or len(version) > 6:
        raise errors.MalformedMessage("no header")
    if len(key) != 32 or not key.isalnum():
        raise errors.MalformedMessage("no key")
    return Header(int(version), word, key)
