"""What clients may ask: one module per verb, the other side of :mod:`hsched.wire`."""

from __future__ import annotations

from hsched.broker.verbs import (
    adopt,
    capacity,
    devices,
    drain,
    finish,
    hold,
    jobs,
    kill,
    release,
    remove,
    rerun,
    resume,
    run,
    runs,
    slots,
    status,
    stop,
    submit,
    subscribe,
    suspend,
    turn,
    update,
)
from hsched.broker.verbs.verb import Verb

VERBS: dict[str, Verb] = {
    verb.request.VERB: verb  # type: ignore[attr-defined] # every request has one
    for verb in (
        submit.VERB,
        jobs.VERB,
        rerun.VERB,
        adopt.VERB,
        run.VERB,
        turn.VERB,
        finish.VERB,
        kill.VERB,
        hold.VERB,
        release.VERB,
        update.VERB,
        suspend.VERB,
        resume.VERB,
        slots.VERB,
        capacity.VERB,
        drain.VERB,
        devices.VERB,
        status.VERB,
        stop.VERB,
        subscribe.VERB,
        remove.VERB,
        runs.VERB,
    )
}

__all__ = ["VERBS", "Verb"]
