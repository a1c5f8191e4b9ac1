"""Starting the helper process, and asking it once: for whoever may wait until a deadline."""

from __future__ import annotations

import contextlib
import json
import os
import select
import sys
import time
from collections.abc import Iterable
from typing import NamedTuple

from hsched.devices.reading import Reading

#: As :mod:`signal` has it, which enumerates all of them when it is imported.
_KILL = 9

#: Seconds after which NVML is taken to hang.
DEADLINE_S = 5.0
DEADLINE_VARIABLE = "HSCHED_NVML_TIMEOUT"


#: Like `python -m`, but nothing is looked for in the working directory, which is a user's.
_PROGRAM = (
    "import sys; sys.path[:1] = [one for one in sys.path[:1] if one]; "
    "from hsched.devices.helper import main; main()"
)


class Helper(NamedTuple):
    """A helper process, and the ends of its pipes that are ours."""

    pid: int
    requests: int
    answers: int


def deadline_s() -> float:
    """Return how many seconds NVML has, by default :data:`DEADLINE_S`."""
    with contextlib.suppress(ValueError):
        return max(0.1, float(os.environ.get(DEADLINE_VARIABLE, "")))
    return DEADLINE_S


def start() -> Helper:
    """Start a helper process; the caller reaps it.

    Raises:
        OSError: there is no room for it.
    """
    theirs, requests = os.pipe2(os.O_CLOEXEC)
    answers, written = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    os.set_blocking(written, True)
    try:
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-c", _PROGRAM, "hsched.devices.helper"],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, theirs, 0),
                (os.POSIX_SPAWN_DUP2, written, 1),
            ],
        )
    except OSError:
        os.close(requests)
        os.close(answers)
        raise
    finally:
        os.close(theirs)
        os.close(written)
    return Helper(pid, requests, answers)


def request(roots: Iterable[int]) -> bytes:
    """Return the line that asks for a reading; processes are told by which root they have."""
    return json.dumps(sorted(roots)).encode() + b"\n"


def parse(line: bytes) -> Reading:
    """Return the reading that a line of the helper tells."""
    return Reading.of(json.loads(line))


def too_late() -> Reading:
    """Return what is known of devices when NVML hangs."""
    return Reading(trouble=f"NVML did not answer within {deadline_s():g} s")


def read_once(roots: Iterable[int] = ()) -> Reading:
    """Return what NVML sees now, or that it did not tell in time; nothing is left."""
    try:
        helper = start()
    except OSError as error:
        return Reading(trouble=f"NVML could not be asked: {error.strerror}")
    try:
        return _ask(helper, roots, time.monotonic() + deadline_s())
    finally:
        _end(helper)


class Session:
    """A helper process for who looks again and again; started at the first look."""

    def __init__(self) -> None:
        self._helper: Helper | None = None

    def read(self, roots: Iterable[int] = ()) -> Reading:
        """Return what NVML sees now, or that it did not tell in time."""
        if self._helper is None:
            try:
                self._helper = start()
            except OSError as error:
                return Reading(trouble=f"NVML could not be asked: {error.strerror}")
        reading = _ask(self._helper, roots, time.monotonic() + deadline_s())
        if reading.trouble and not reading.absent:
            self.close()  # what it says next would be the answer to this question
        return reading

    def close(self) -> None:
        """End the helper; another look would start a new one."""
        if self._helper is not None:
            _end(self._helper)
            self._helper = None


def _ask(helper: Helper, roots: Iterable[int], deadline: float) -> Reading:
    with contextlib.suppress(BrokenPipeError):
        os.write(helper.requests, request(roots))
    said = b""
    while not said.endswith(b"\n"):
        left = max(0.0, deadline - time.monotonic())
        if not select.select([helper.answers], [], [], left)[0]:
            return too_late()
        more = os.read(helper.answers, 1 << 16)
        if not more:
            return Reading(trouble="the process that asks NVML has failed")
        said += more
    return parse(said)


def _end(helper: Helper) -> None:
    os.close(helper.requests)
    os.close(helper.answers)
    os.kill(helper.pid, _KILL)
    _reap(helper.pid)


def _reap(pid: int) -> None:
    # One that hangs in the driver cannot be killed, and is left to whoever reaps us.
    pidfd = os.pidfd_open(pid)
    try:
        if select.select([pidfd], [], [], 1.0)[0]:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
    finally:
        os.close(pidfd)
