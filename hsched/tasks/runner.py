"""The process of a task that is a function or has hooks: ``python runner.py FILE START LENGTH``.

Started as a file, so the search path is put right before anything else is imported.
Its streams are the task's log, and its exit status the task's.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    # Not our own folder: the modules in it are not to be found by their short names.
    sys.path[:] = [one for one in sys.path if one != __file__.rpartition("/")[0]]

import contextlib
import inspect
import json
import os
import pickle
import signal
import subprocess
import traceback
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

    from hsched.tasks.task import ProcTask

_NOT_FOUND, _NOT_EXECUTABLE = 127, 126
_SIGNALLED = 128


def main(words: list[str]) -> int:
    """Unpickle the task, run it, and return its exit status."""
    path, start, length = words[0], int(words[1]), int(words[2])
    with open(path, "rb") as file:
        file.seek(start)
        search_path, _, content = file.read(length).partition(b"\n")
    sys.path[:] = dict.fromkeys([*json.loads(search_path), *sys.path])
    try:
        task = pickle.loads(content)
    except Exception:
        traceback.print_exc()
        print("hsched: the task's function or hooks cannot be loaded here", file=sys.stderr)
        return 1
    return TaskRun(task).run()


class TaskRun:
    """One attempt at a task, in its own process."""

    def __init__(self, task: ProcTask) -> None:
        self._task = task
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told_to_end: int | None = None

    def run(self) -> int:
        """Run hooks and command, and return the exit status; a signal ends us as it did those."""
        self._task._status = "running"
        failed = self._guarded(self._task.on_start)
        status = failed or self._command()
        self._task._status = "done" if status == 0 else "failed"
        failed = self._guarded(self._task.on_end)
        self._close()
        sys.stdout.flush()
        if status < 0:
            _end_by(-status)
        return status or failed

    def _command(self) -> int:
        """Return the status of the command or function, negative where a signal ended it."""
        command = self._task.cmd_or_func
        if callable(command):
            os.environ.update(self._environment())
            return self._guarded(command)
        from hsched.tasks import magic

        environment = {**os.environ, **self._environment()}
        if isinstance(command, str):
            argv: list[str] = ["/bin/sh", "-c", magic.shell_line(command)]
        else:
            argv = [magic.replaced(word, environment) for word in command]
        sys.stdout.flush()
        return self._spawned(argv, environment)

    def _environment(self) -> dict[str, str]:
        from hsched.tasks import magic

        return {key: magic.replaced(value, os.environ) for key, value in self._task.env.items()}

    def _spawned(self, argv: list[str], environment: dict[str, str]) -> int:
        """Run a command to its end; whoever tells the task to end tells it as well."""
        with _noting(signal.SIGTERM), _noting(signal.SIGINT):
            try:
                return subprocess.run(argv, env=environment, check=False).returncode
            except FileNotFoundError as error:
                print(f"hsched: {error.filename}: not found", file=sys.stderr)
                return _NOT_FOUND
            except OSError as error:
                print(f"hsched: {argv[0]}: {error.strerror}", file=sys.stderr)
                return _NOT_EXECUTABLE

    def _guarded(self, function: Callable[[], Any]) -> int:
        """Call a hook or function, await what it returns, and return the status to end with."""
        try:
            result = function()
            if inspect.isawaitable(result):
                self._wait_for(result)
        except SystemExit as end:
            return _status_of(end.code)
        except BaseException as error:
            # Our own frames tell the user nothing.
            error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
            traceback.print_exception(error)
            return 1
        return 0

    def _wait_for(self, awaitable: Any) -> None:
        import asyncio

        if self._loop is None:
            self._loop = asyncio.new_event_loop()

        async def _all() -> None:
            await awaitable

        self._loop.run_until_complete(_all())

    def _close(self) -> None:
        if self._loop is not None:
            self._loop.close()


@contextlib.contextmanager
def _noting(number: int) -> Iterator[None]:
    """Survive a signal that the command gets as well, so that `on_end` can run."""
    before = signal.signal(number, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(number, before)


def _status_of(code: object) -> int:
    """Return the exit status that Python makes of what SystemExit carries."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)
    return 1


def _end_by(number: int) -> None:
    """End as the command did."""
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
