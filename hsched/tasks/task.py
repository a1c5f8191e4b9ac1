"""A task: a command or a function, with what it needs and hooks around it."""

from __future__ import annotations

import inspect
import os
import time
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from typing import Any, NoReturn

from hsched.errors import WrongUsage
from hsched.tasks.errors import TaskError
from hsched.tasks.memory import Memory, memory
from hsched.tasks.naming import checked_name, random_name
from hsched.tasks.planned import RETRIES, RETRY_STATUS

Command = str | Sequence[str] | Callable[[], Any]


def exit_and_retry() -> NoReturn:
    """End this process so that its task is queued again, as often as its ``retries`` allow.

    Raises:
        SystemExit: always, with the status that means this; ``finally`` and hooks are run.
    """
    raise SystemExit(RETRY_STATUS)


class _Nothing:
    """What can be awaited, or left alone."""

    def __await__(self) -> Generator[None, None, None]:
        return
        yield


class ProcTask:
    """Runs a command, or a function, in a process of its own as soon as there is room.

    ``cmd_or_func`` is a line for the shell, a list of exact words, or a function without
    required parameters.  ``env`` adds to the environment.  ``requires_memory_per_device``
    is in MiB, or a fraction of what a device has, or a word such as ``"20G"``; 0 asks for
    ``min_devices`` whole devices.  ``slots`` asks for anything else in place of devices,
    as ``hsubmit`` does.  A subclass may override :meth:`on_start` and :meth:`on_end`.
    """

    def __init__(  # noqa: PLR0913 # the pages name and order the first six
        self,
        cmd_or_func: Command,
        env: Mapping[str, str] | None = None,
        task_name: str | None = None,
        priority: int = 0,
        requires_memory_per_device: str | float = 0,
        min_devices: int = 1,
        *,
        slots: str | None = None,
        retries: int = RETRIES,
        time_limit: float | None = None,
        grace: float = 5.0,
    ) -> None:
        """Make a task; nothing is submitted yet.

        ``retries`` is how often :func:`exit_and_retry` may queue it again; ``time_limit``
        and ``grace`` are in seconds.

        Raises:
            TaskError: it cannot be: its name, its function, its numbers.
            TypeError: the command is none of the three.
        """
        self.cmd_or_func = _checked_command(cmd_or_func)
        self.env = {str(name): str(value) for name, value in (env or {}).items()}
        self.name = random_name() if task_name is None else checked_name(task_name, "task")
        self.priority = priority
        self.requires_memory_per_device = requires_memory_per_device
        self.min_devices = min_devices
        self.slots = slots
        self.retries = retries
        self.time_limit = time_limit
        self.grace = grace
        self.check()
        self.create_time = time.time()
        self._status = "created"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    def check(self) -> None:
        """Check the task as it stands: what it was given may have been changed since.

        Raises:
            TaskError: one of its numbers, words or variables cannot be.
        """
        _ = self.memory
        fault = (
            _fault_of_whole("priority", self.priority, None)
            or _fault_of_whole("min_devices", self.min_devices, 0)
            or _fault_of_whole("retries", self.retries, 0)
            or _fault_of_seconds("grace", self.grace)
            or (self.time_limit is not None and _fault_of_seconds("time_limit", self.time_limit))
            or _fault_of_words(self.slots, self.cmd_or_func, self.env)
        )
        if fault:
            raise TaskError(f"task {self.name}: {fault}")

    @property
    def memory(self) -> Memory:
        """What it asks of each device's memory.

        Raises:
            TaskError: it is no amount.
        """
        try:
            return memory(self.requires_memory_per_device)
        except WrongUsage as error:
            raise TaskError(f"task {self.name}: requires_memory_per_device: {error}") from None

    @property
    def status(self) -> str:
        """``created`` here; in the task's own process ``running``, and how it went at its end."""
        return self._status

    @property
    def fullname(self) -> str:
        """The name with its groups, in the task's own process; else the name."""
        is_ours = os.environ.get("HSCHED_TASK_NAME") == self.name
        return os.environ.get("HSCHED_FULLNAME", self.name) if is_ours else self.name

    def on_start(self) -> Awaitable[None]:
        """Run in the task's process before the command; ``async`` or plain."""
        return _Nothing()

    def on_end(self) -> Awaitable[None]:
        """Run in the task's process after the command, however that ended; ``async`` or plain."""
        return _Nothing()

    def has_hooks(self) -> bool:
        """Return whether there is anything to run around the command."""
        return any(
            getattr(getattr(self, hook), "__func__", None) is not getattr(ProcTask, hook)
            for hook in ("on_start", "on_end")
        )


def _checked_command(given: Any) -> Command:
    if isinstance(given, str):
        if not given.strip():
            raise TaskError("the command of a task is empty")
        return given
    if callable(given):
        _check_function(given)
        checked: Command = given
        return checked
    if isinstance(given, Sequence) and not isinstance(given, (bytes, bytearray)):
        words = tuple(os.fspath(word) if isinstance(word, os.PathLike) else word for word in given)
        if not words or not all(isinstance(word, str) for word in words):
            raise TaskError(f"a command as a list has words, all of them strings; not {given!r}")
        return words
    raise TypeError(
        f"a task runs a string, a list of strings or a function, not {type(given).__name__}"
    )


def _check_function(function: Callable[..., Any]) -> None:
    name = getattr(function, "__qualname__", repr(function))
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return  # one in C may not tell
    for one in parameters:
        needed = one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
        if needed:
            raise TaskError(
                f"function {name} requires the parameter `{one.name}`; give it a default, or "
                f"bind it with functools.partial({name}, ...)"
            )


def _fault_of_whole(what: str, value: object, least: int | None) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        return f"{what} is {value!r}, and must be a whole number"
    if least is not None and value < least:
        return f"{what} is {value}, {least} or more can be"
    return ""


def _fault_of_seconds(what: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return f"{what} is {value!r}, and must be a number of seconds"
    return "" if value >= 0 else f"{what} is {value} seconds, 0 or more can be"


def _fault_of_words(slots: object, command: Command, environment: Mapping[str, str]) -> str:
    if slots is not None and not isinstance(slots, str):
        return f"slots is {slots!r}, and must be a string such as '2,1,8'"
    words = [command] if isinstance(command, str) else () if callable(command) else command
    if any("\0" in word for word in words):
        return "its command has a NUL byte"
    for name, value in environment.items() if environment else ():
        if not name or "=" in name:
            return f"the name of the variable {name!r} is empty or holds `=`"
        if "\0" in name or "\0" in value:
            return f"the variable {name!r} has a NUL byte"
    return ""
