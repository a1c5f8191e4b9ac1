"""The life of a job, as a table: which state follows when something happens.

Rule 1: a job changes its state only through :func:`next_state`.
Rule 2: every pair of a step and a state has an answer here; None means that the
pair is not allowed.  The table is the documentation: :func:`render` prints it.
"""

from __future__ import annotations

from enum import Enum

from hsched.core.model import JobId, State, format_job_id
from hsched.errors import IllegalTransition, Refused


class Step(str, Enum):
    """What can happen to one job."""

    START = "start"  # the scheduler decided to start it
    STARTED = "started"  # its shim is there
    NOT_STARTED = "not started"  # there was no room for its shim
    ENDED = "ended"  # its tree is gone
    RETRY = "retry"  # its tree is gone, and it shall be tried again
    GIVE_UP = "give up"  # a dependency can never be met
    TIME_OUT = "time out"  # its time limit has come
    CANCEL = "cancel"
    SIGNAL = "signal"
    HOLD = "hold"
    RELEASE = "release"
    UPDATE = "update"
    SUSPEND = "suspend"
    RESUME = "resume"


#: The columns of :data:`TABLE`.
STATES = (State.PENDING, State.STARTING, State.RUNNING, State.STOPPING, State.DONE)

NO = None
PENDING, STARTING, RUNNING, STOPPING, DONE = STATES

# fmt: off
TABLE: dict[Step, tuple[State | None, ...]] = {
    #                  pending   starting  running   stopping  done
    Step.START:       (STARTING, NO,       NO,       NO,       NO),
    Step.STARTED:     (NO,       RUNNING,  NO,       STOPPING, NO),
    Step.NOT_STARTED: (NO,       PENDING,  NO,       DONE,     NO),
    Step.ENDED:       (NO,       DONE,     DONE,     DONE,     NO),
    Step.RETRY:       (NO,       PENDING,  PENDING,  NO,       NO),
    Step.GIVE_UP:     (DONE,     NO,       NO,       NO,       NO),
    Step.TIME_OUT:    (NO,       NO,       STOPPING, NO,       NO),
    Step.CANCEL:      (DONE,     STOPPING, STOPPING, STOPPING, NO),
    Step.SIGNAL:      (NO,       NO,       RUNNING,  STOPPING, NO),
    Step.HOLD:        (PENDING,  NO,       NO,       NO,       NO),
    Step.RELEASE:     (PENDING,  NO,       NO,       NO,       NO),
    Step.UPDATE:      (PENDING,  NO,       NO,       NO,       NO),
    Step.SUSPEND:     (NO,       NO,       RUNNING,  NO,       NO),
    Step.RESUME:      (NO,       NO,       RUNNING,  NO,       NO),
}
# fmt: on

#: Steps that somebody asks for: in the wrong state they are refused, and no bug of ours.
ASKED = frozenset(list(Step)[list(Step).index(Step.CANCEL) :])

TRANSITIONS: dict[tuple[State, Step], State | None] = {
    (state, step): after
    for step, row in TABLE.items()
    for state, after in zip(STATES, row, strict=True)
}


def next_state(job_id: JobId, state: State, step: Step) -> State:
    """Return the state that follows when ``step`` happens to a job in ``state``.

    Raises:
        Refused: somebody asked for what the state does not allow; nothing changed.
        IllegalTransition: the step cannot happen in that state; nothing changed.
    """
    after = TRANSITIONS[state, step]
    if after is not None:
        return after
    allowed = " or ".join(s.value for s in STATES if TRANSITIONS[s, step] is not None)
    error = Refused if step in ASKED else IllegalTransition
    raise error(f"job {format_job_id(job_id)} is {state.value}: {step.value} is for {allowed} jobs")


def render() -> str:
    """Return the table as plain text, one line a step, for the documentation."""
    head = ["", *(state.value for state in STATES)]
    rows = [
        [step.value, *(after.value if after else "-" for after in row)]
        for step, row in TABLE.items()
    ]
    return "\n".join("".join(f"{cell:<12}" for cell in row).rstrip() for row in [head, *rows])
