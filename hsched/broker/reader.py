"""``python -m hsched.broker.reader NAME VERB``: answers one question about history.

For a scheduler that was stopped: reads a request on standard input and writes the
reply as the broker would.  Holds the lock meanwhile, so no broker starts under it.
"""

from __future__ import annotations

import sys

from hsched import paths
from hsched.broker import clock
from hsched.broker.endpoint import encode, error_body
from hsched.broker.premises import take_lock
from hsched.broker.store import Store
from hsched.broker.verbs.jobs import older, page
from hsched.broker.verbs.runs import all_runs
from hsched.broker.verbs.subscribe import as_stored
from hsched.broker.views import Viewer
from hsched.errors import HschedError, NotRunning
from hsched.wire.frames import PROTOCOL_VERSION, Header
from hsched.wire.jobs import JobsReply, JobsRequest
from hsched.wire.message import from_json
from hsched.wire.runs import RunsReply, RunsRequest
from hsched.wire.subscribe import Changes, SubscribeRequest


def main() -> None:
    """Answer, and end."""
    word, body = "ok", b""
    try:
        body = encode(_answer(sys.argv[1], sys.argv[2], sys.stdin.buffer.read()))
    except HschedError as error:
        word, body = "error", error_body(error)
    header = Header(PROTOCOL_VERSION, word, "0" * 32).encode()
    sys.stdout.buffer.write(header + b"\n" + body)


def _answer(name: str, verb: str, body: bytes) -> JobsReply | RunsReply | Changes:
    place = paths.place(name)
    take_lock(place)
    store = Store(place.store)
    run = store.newest_run()
    if run is None:
        raise NotRunning(f"scheduler {name} never ran")
    if verb == RunsRequest.VERB:
        return all_runs(store)
    if verb == SubscribeRequest.VERB:
        return as_stored(store, run.number, from_json(SubscribeRequest, body).ids or ())
    viewer = Viewer(place, run, store, None, clock.wall())
    request = from_json(JobsRequest, body)
    return page(viewer if request.run is None else older(viewer, request.run), request)


if __name__ == "__main__":
    main()
