"""What a submission asks for, checked, and turned into a job of the core.

Everything that the core and the store do not check themselves is checked here, so
that whatever a client sends either makes a job or a sentence.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import chain

from hsched.broker import patterns
from hsched.broker.store.rows import Asked
from hsched.core.devices import with_devices
from hsched.core.model import (
    MAX_ARRAY_INDEX,
    Dependency,
    JobId,
    LimitWarning,
    NewJob,
    Request,
    Resource,
    Sharing,
    array_index,
)
from hsched.core.slots import MAX_SLOTS
from hsched.core.spec import parse_request
from hsched.errors import WrongUsage
from hsched.wire.message import raw
from hsched.wire.submit import JobSpec

_MAX_NAME = 255
_KINDS = ("command", "task", "adopted", "foreground")
_MAX_PRIORITY = 1_000_000_000
_MAX_RETRIES = 1_000_000
_MAX_MEMORY = 1 << 62
_HIGHEST_SIGNAL = 31
_HIGHEST_STATUS = 255

#: Seconds; longer than anybody waits, and small enough for every clock.
_LONGEST_S = 1e11


def new_job(
    identity: JobId,
    spec: JobSpec,
    request: Request,
    edges: tuple[Dependency, ...],
    clocks: tuple[float, float],
    asked: Asked | None = None,
) -> NewJob:
    """Return what the core must know of a job; ``clocks`` are monotonic and wall time now.

    ``asked`` is what has been changed since it was submitted.
    """
    monotonic, wall = clocks
    changed = asked or spec
    return NewJob(
        id=identity,
        request=request,
        priority=changed.priority,
        dependencies=edges,
        held=spec.hold if asked is None else bool(asked.held),
        not_before=None if spec.begin_at is None else monotonic + spec.begin_at - wall,
        time_limit_s=changed.time_limit,
        grace_s=spec.grace,
        warning=warning(spec),
        retries=spec.retries,
        retry_on=spec.retry_on,
        array_limit=spec.array_limit if array_index(identity) is not None else None,
    )


def request(spec: JobSpec, resources: Sequence[Resource], sharing: Sharing | None) -> Request:
    """Return what ``spec`` asks for of the resources and devices.

    Raises:
        WrongUsage: a word or number of it makes no sense.
    """
    wish = (spec.min_devices, spec.device_memory, spec.device_share)
    return with_devices(parse_request(spec.slots, resources), wish, resources, sharing)


def warning(spec: JobSpec) -> LimitWarning | None:
    """Return the signal that announces the time limit, None without one."""
    if spec.warn_signal is None:
        return None
    return LimitWarning(spec.warn_signal, spec.warn_before)


def check(spec: JobSpec) -> None:
    """Check what the core does not know of.

    Raises:
        WrongUsage: it cannot be; the text says which field.
    """
    if (spec.kind in ("adopted", "foreground")) != (spec.pid is not None):
        raise WrongUsage("only `hadopt` and `hrun` make a job of a process")
    if spec.kind not in _KINDS:
        raise WrongUsage(f"kind {spec.kind[:40]!r}: one of {', '.join(_KINDS)}")
    if spec.kind == "task" and (spec.name is None or spec.array):
        raise WrongUsage("a task has a name, and is no array")
    check_name(spec.name, spec.labels)
    check_priority(spec.priority)
    check_limit(spec.time_limit)
    _check_command(spec)
    _check_numbers(spec)
    check_devices(spec)
    if spec.array:
        _check_array(spec.array)
    elif patterns.ARRAY_INDEX in patterns.used_in(spec.stdin, spec.stdout, spec.stderr):
        raise WrongUsage("%a in the name of a file is the index in an array, and this is none")
    if spec.unique is not None and not 1 <= len(spec.unique) <= _MAX_NAME:
        raise WrongUsage(f"unique key {spec.unique[:40]!r}: 1 to {_MAX_NAME} characters")


def of_element(spec: JobSpec) -> JobSpec:
    """Return what is kept of ``spec`` with each element of its array: all but the indices."""
    return JobSpec(**{**spec.plain(), "array": ()}) if spec.array else spec


def check_name(name: str | None, labels: Iterable[str]) -> None:
    """Check what a job is called.

    Raises:
        WrongUsage: a name or a label is empty or too long, or a label is no UTF-8.
        MalformedMessage: one stands for no bytes.
    """
    for kind, word in (("job name", name), *(("label", label) for label in labels)):
        if word is not None and not 1 <= len(raw(word)) <= _MAX_NAME:
            raise WrongUsage(f"{kind} {word[:40]!r}: 1 to {_MAX_NAME} bytes")
        if kind == "label" and word is not None and not _is_text(word):
            raise WrongUsage(f"label {word[:40]!r} is no UTF-8")


def _is_text(word: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in word)


def check_priority(priority: int) -> None:
    """Check a priority.

    Raises:
        WrongUsage: it is too large to be meant.
    """
    if abs(priority) > _MAX_PRIORITY:
        raise WrongUsage(f"priority {priority}: {-_MAX_PRIORITY} to {_MAX_PRIORITY}")


def check_limit(limit_s: float | None) -> None:
    """Check a time limit.

    Raises:
        WrongUsage: it is none.
    """
    if limit_s is not None and not 0 < limit_s <= _LONGEST_S:
        raise WrongUsage(f"time limit {limit_s:g}: more than 0 seconds; leave it out for none")


def _check_command(spec: JobSpec) -> None:
    if not spec.argv and spec.shell is None:
        raise WrongUsage("no command given")
    if spec.argv and not spec.argv[0]:
        raise WrongUsage("the command's name is empty")
    variables = (spec.environment or {}).items()
    words = (*spec.argv, spec.shell, spec.stdin, spec.stdout, spec.stderr, spec.on_done)
    if any("\0" in word for word in (*words, *chain(*variables)) if word):
        raise WrongUsage("a NUL byte in a command, a path or a variable")
    if variables and any("=" in name or not name for name, _ in variables):
        raise WrongUsage("the name of a variable is empty or holds `=`")


def _check_numbers(spec: JobSpec) -> None:
    if not 0 <= spec.grace <= _LONGEST_S:
        raise WrongUsage(f"grace {spec.grace:g}: 0 or more seconds")
    if not math.isfinite(spec.begin_at or 0.0) or abs(spec.begin_at or 0.0) > _LONGEST_S:
        raise WrongUsage(f"begin at {spec.begin_at}: no moment anybody lives to see")
    if not 0 <= spec.retries <= _MAX_RETRIES:
        raise WrongUsage(f"retries {spec.retries}: 0 to {_MAX_RETRIES}")
    if not all(0 <= status <= _HIGHEST_STATUS for status in spec.retry_on):
        raise WrongUsage(f"an exit status to retry on is 0 to {_HIGHEST_STATUS}")
    if spec.warn_signal is None:
        return
    if spec.time_limit is None:
        raise WrongUsage("a warning needs a time limit that it announces")
    if not 1 <= spec.warn_signal <= _HIGHEST_SIGNAL:
        raise WrongUsage(f"signal {spec.warn_signal}: 1 to {_HIGHEST_SIGNAL}")
    if not 0 <= spec.warn_before <= _LONGEST_S:
        raise WrongUsage(f"a warning {spec.warn_before:g} s ahead: 0 or more seconds")


def check_devices(spec: JobSpec) -> None:
    """Check what is asked of devices.

    Raises:
        WrongUsage: there can never be so many, or so much of them.
    """
    if not 0 <= spec.min_devices <= MAX_SLOTS:
        raise WrongUsage(f"{spec.min_devices} devices: 0 to {MAX_SLOTS}")
    if not 0 <= spec.device_memory <= _MAX_MEMORY or not 0 <= spec.device_share <= 1:
        raise WrongUsage("memory per device: 0 or more bytes, or a share from 0 to 1")


def _check_array(indices: Sequence[int]) -> None:
    if len(set(indices)) < len(indices):
        raise WrongUsage("an index stands twice in the array")
    if not 0 <= min(indices) <= max(indices) <= MAX_ARRAY_INDEX:
        raise WrongUsage(f"the indices of an array are 0 to {MAX_ARRAY_INDEX}")
