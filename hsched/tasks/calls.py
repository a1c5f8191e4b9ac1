"""A call of a function in a job's own process, and what comes back of it.

The runner of tasks runs a :class:`Call` like any function.  What it returns or raises
goes into a file beside the payload; the process that asked reads it, and nobody else.
"""

from __future__ import annotations

import contextlib
import functools
import os
import pickle
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

from hsched.errors import JobFailed
from hsched.tasks.payload import dumped, parts_of

_VALUE, _ERROR = "value", "error"


class RemoteTraceback(Exception):
    """The traceback of an exception in the job's process, as text; a ``__cause__``."""

    def __str__(self) -> str:
        return f'\n"""\n{self.args[0]}"""'


class Call:
    """A function with its arguments, as bytes, and where the answer goes.

    Bytes, so that a function which cannot be loaded there is an answer too.
    """

    def __init__(self, content: bytes, answer: str) -> None:
        self.content = content
        self.answer = answer

    def __call__(self) -> None:
        """Call the function, write the answer, and raise what the function raised."""
        try:
            value = pickle.loads(self.content)()
            answer = dumped((_VALUE, value), "the result", parts_of(value))
        except BaseException as error:
            # Our own frame tells the user nothing.
            error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
            self._write(_of_error(error))
            raise
        self._write(answer)

    def _write(self, answer: bytes) -> None:
        """Write the answer whole or not at all."""
        part = f"{self.answer}.part"
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(answer)
        os.replace(part, self.answer)


class Answer(NamedTuple):
    """What a call came to: ``error`` is None where it returned ``value``."""

    value: Any
    error: BaseException | None


def content_of(function: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> bytes:
    """Return a call as bytes.

    Raises:
        TaskError: something in it cannot be pickled; the text names it and says why.
    """
    whole = functools.partial(function, *args, **kwargs)
    return dumped(whole, f"the call of {name_of(function)}", parts_of(whole))


def name_of(function: Callable[..., Any]) -> str:
    """Return what a person calls a function."""
    inner = getattr(function, "func", function)  # of a functools.partial
    return str(getattr(inner, "__name__", type(inner).__name__))


def read_answer(path: str) -> Answer | None:
    """Return the answer in a file; None where the job wrote none."""
    try:
        with open(path, "rb") as file:
            content = file.read()
    except FileNotFoundError:
        return None
    try:
        kind, *parts = pickle.loads(content)
    except Exception as error:  # whatever the user's classes do
        return Answer(None, error)
    if kind == _VALUE:
        return Answer(parts[0], None)
    return Answer(None, _error_of(*parts))


def _of_error(error: BaseException) -> bytes:
    told = "".join(traceback.format_exception(error))
    content = None
    with contextlib.suppress(Exception):
        content = dumped(error, "the exception", parts_of(error))
        pickle.loads(content)  # one whose __init__ wants more than it keeps cannot come back
        return pickle.dumps((_ERROR, content, told))
    return pickle.dumps((_ERROR, None, told))


def _error_of(content: bytes | None, told: str) -> BaseException:
    error: BaseException | None = None
    if content is not None:
        with contextlib.suppress(Exception):
            error = pickle.loads(content)
    if not isinstance(error, BaseException):
        error = JobFailed(f"the function raised {told.strip().splitlines()[-1]}")
    error.__cause__ = RemoteTraceback(told)
    return error
