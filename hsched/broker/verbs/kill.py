"""Answers ``kill``: cancels jobs or passes a signal on."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from hsched.broker.endpoint import Peer
from hsched.broker.selection import choose
from hsched.broker.verbs.verb import Verb
from hsched.core.events import CancelAsked, SignalAsked
from hsched.core.model import State, format_job_id
from hsched.errors import WrongUsage
from hsched.wire.kill import KillReply, KillRequest

if TYPE_CHECKING:
    from hsched.broker.broker import Broker

_HIGHEST_SIGNAL = 31


def _kill(broker: Broker, request: KillRequest, _peer: Peer, _key: str) -> KillReply:
    if not 1 <= request.signal <= _HIGHEST_SIGNAL:
        raise WrongUsage(f"signal {request.signal}: 1 to {_HIGHEST_SIGNAL}")
    ends = request.signal in (signal.SIGTERM, signal.SIGKILL)
    ids = choose(broker, request, () if ends else (State.RUNNING, State.STOPPING))
    if not ends:
        broker.apply(SignalAsked(ids, request.signal))
    elif request.signal == signal.SIGKILL:
        broker.apply(CancelAsked(ids, 0.0, "hkill"))
    else:
        broker.apply(CancelAsked(ids, request.grace, "hkill"))
    return KillReply(ids=tuple(format_job_id(one) for one in ids))


VERB = Verb(KillRequest, _kill, changes=True)
