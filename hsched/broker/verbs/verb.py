"""What a verb is: a request type and the function that answers it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hsched.broker.endpoint import Peer
from hsched.wire.message import Message

if TYPE_CHECKING:
    from hsched.broker.broker import Broker  # the broker holds the verbs


@dataclass(frozen=True, slots=True)
class Verb:
    """``handle(broker, request, peer, key)`` returns the reply, None where it comes later.

    A verb that ``changes`` something is done once per key.  It checks before it changes:
    when it raises, nothing has.
    """

    request: type[Message]
    handle: Callable[[Broker, Any, Peer, str], Message | None]
    changes: bool = False
