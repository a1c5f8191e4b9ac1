"""History of a scheduler that was stopped: a process of its own reads the store and ends."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TypeVar

from hsched.client.connection import not_running, read_reply
from hsched.paths import Place
from hsched.wire.frames import parse_header
from hsched.wire.message import Message, to_json

M = TypeVar("M", bound=Message)


def read_history(place: Place, request: Message, reply: type[M]) -> M:
    """Return what the store of ``place`` says, where no broker answers.

    Raises:
        NotRunning: no scheduler of this name ever ran.
        HschedError: what the reader said.
    """
    if not os.path.exists(place.store):
        raise not_running(place.name)
    verb: str = request.VERB  # type: ignore[attr-defined] # requests have one, replies not
    done = subprocess.run(
        [sys.executable, "-m", "hsched.broker.reader", place.name, verb],
        input=to_json(request),
        stdout=subprocess.PIPE,
        check=True,
        cwd=place.folder,
    )
    header, _, body = done.stdout.partition(b"\n")
    return read_reply((parse_header(header), body), reply)
