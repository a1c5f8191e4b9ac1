"""Running a script that exports tasks, in a process of its own, and taking what it exported."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from hsched.tasks.errors import TaskError
from hsched.tasks.planned import Plan
from hsched.wire.message import from_json

_SCRIPT = os.path.join(os.path.dirname(__file__), "script.py")

#: After so many seconds of a script we say that it runs, and again after as many as that.
_QUIET_S = 5.0


def gather(path: str, arguments: Sequence[str], tell: Callable[[str], None]) -> tuple[Plan, bytes]:
    """Run the script at ``path`` and return the plan and the payload of what it exported.

    ``tell`` gets a line now and then while that takes long.

    Raises:
        TaskError: it failed, exported nothing, or what cannot be submitted.
    """
    answer, theirs = os.pipe()
    command = [sys.executable, _SCRIPT, str(theirs), path, *arguments]
    try:
        with subprocess.Popen(command, pass_fds=[theirs]) as process:
            os.close(theirs)
            said = _read(answer, path, tell)
            status = process.wait()
    finally:
        os.close(answer)
    if said.startswith(b"!"):
        raise TaskError(said[1:].decode("utf-8", "replace"))
    if status or not said:
        raise TaskError(f"{path} {_ended(status)}; nothing was submitted")
    plan, _, payload = said.partition(b"\n")
    return from_json(Plan, plan), payload


def _read(descriptor: int, path: str, tell: Callable[[str], None]) -> bytes:
    parts: list[bytes] = []
    begun = time.monotonic()
    due = begun + _QUIET_S
    while True:
        if not select.select([descriptor], [], [], max(0.0, due - time.monotonic()))[0]:
            ran = time.monotonic() - begun
            tell(f"{path} has been running for {ran:.0f} s; its tasks are submitted at its end")
            due = time.monotonic() + min(60.0, ran)
            continue
        if not (more := os.read(descriptor, 1 << 20)):
            return b"".join(parts)
        parts.append(more)


def _ended(status: int) -> str:
    if status < 0:
        return f"was ended by signal {-status}"
    return f"ended with status {status}" if status else "ended without a word"
