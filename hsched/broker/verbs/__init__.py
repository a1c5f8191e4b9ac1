"""What clients may ask: one module per verb, the other side of :mod:`hsched.wire`."""

from __future__ import annotations

from hsched.broker.verbs import jobs, kill, slots, status, stop, submit, subscribe
from hsched.broker.verbs.verb import Verb

VERBS: dict[str, Verb] = {
    verb.request.VERB: verb  # type: ignore[attr-defined] # every request has one
    for verb in (
        submit.VERB,
        jobs.VERB,
        kill.VERB,
        slots.VERB,
        status.VERB,
        stop.VERB,
        subscribe.VERB,
    )
}

__all__ = ["VERBS", "Verb"]
