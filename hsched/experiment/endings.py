"""How a task or an experiment ends that does not simply end, and what is written of it."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from hsched.errors import HschedError
from hsched.experiment import files

#: With this exit status a task asks to be run again: its time is up.
TIMEOUT_STATUS = 124

#: What `.failed` says of a task whose time is up, and which may be retried.
TIMEOUT = "timeout"
CANCELLED = "cancelled"
FAILED = "failed"
DEPENDENCY = "dependency"


class GracefulTimeout(Exception):
    """Raised by a task that stops by itself because its time would not be enough."""

    def __init__(self, message: str = "Task stopped gracefully before timeout") -> None:
        super().__init__(message)
        self.message = message


class TaskCancelled(BaseException):
    """Raised in a task that is told to end.

    ``remaining_time`` says after how many seconds it is killed, None where nobody knows.
    Like KeyboardInterrupt it is no Exception, so that ``except Exception`` lets it through.
    """

    def __init__(
        self,
        message: str = "Task cancelled by signal",
        remaining_time: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.remaining_time = remaining_time


class FailedExperiment(HschedError):
    """Tasks of an experiment failed; the text names them, and says where to read more."""


class GracefulExperimentExit(Exception):
    """Raised in the body of an experiment to leave it without waiting; its tasks go on."""


class Failure(NamedTuple):
    """What is known of a task that failed.

    ``code`` is its exit status, None where it never had one; ``reason`` is ``failed``,
    ``timeout``, ``cancelled``, ``dependency``, ``rejected`` or an outcome of the scheduler.
    """

    reason: str
    code: int | None = None
    message: str = ""


def write_failed(path: files.Name, failure: Failure) -> None:
    """Write the marker ``NAME.failed``."""
    value = {"code": failure.code, "reason": failure.reason, "message": failure.message}
    files.write_whole(path, json.dumps(value) + "\n")


def read_failed(path: files.Name) -> Failure | None:
    """Return what ``NAME.failed`` says, None where it is not there."""
    text = files.read_text(path)
    if text is None:
        return None
    try:
        value: dict[str, Any] = json.loads(text)
        return Failure(str(value["reason"]), value.get("code"), str(value.get("message") or ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Failure(FAILED, None, f"{path} is damaged")
