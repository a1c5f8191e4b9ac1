"""The process of a task: runs it once, and writes how it ended.

It imports what a task needs and no more; the driver's side stays out.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from hsched.experiment import files, runtime
from hsched.experiment.endings import (
    FAILED,
    TIMEOUT,
    TIMEOUT_STATUS,
    Failure,
    GracefulTimeout,
    TaskCancelled,
    write_failed,
)

if TYPE_CHECKING:
    from hsched.experiment.cancel import Cancellation
    from hsched.experiment.tokens import Held

#: What stays of a task that failed and is run again, besides what begins with its name.
_KEPT = {"params.json", "__xpm__", ".experimaestro"}

PROCESS = os.path.join("__xpm__", "process.json")


def main(script: str, run: dict[str, Any]) -> NoReturn:
    """Run the task that ``script`` stands in the folder of, and end this process.

    Exit status: 0 where it succeeded, or had before; 124 where its time was up; else what
    it said itself, or 1.
    """
    folder = os.path.dirname(os.path.abspath(script))
    _end(Attempt(folder, run).make())


class Attempt:
    """One run of a task."""

    def __init__(self, folder: str, run: dict[str, Any]) -> None:
        self._folder = folder
        self._run = run
        self._tokens: Held | None = None
        self._stem = os.path.join(folder, run["name"])
        self._lock = files.Lock(f"{self._stem}.lock")
        self._cancellation: Cancellation | None = None

    def make(self) -> int:
        """Run the task unless it has succeeded; return the exit status."""
        os.chdir(self._folder)
        if not self._lock.try_acquire():
            print("hsched: another process runs this task; waiting for its end", file=sys.stderr)
            self._lock.acquire()
        if os.path.exists(f"{self._stem}.done"):
            return 0
        workspace = os.path.dirname(os.path.dirname(os.path.dirname(self._folder)))
        given = {**self._run, "workspace": workspace}
        running = runtime.now = runtime.Running(self._folder, given, time.monotonic())
        self._begin(running)
        failure = self._execute()
        return self._finish(failure, running)

    def _begin(self, running: runtime.Running) -> None:
        """Take what must be held, and leave nothing of an earlier run that failed."""
        from hsched.experiment.cancel import Cancellation

        if os.path.exists(PROCESS) and not running.resumable:
            _clear(self._folder, running.name)
        _remove(f"{self._stem}.failed")
        os.makedirs(os.path.dirname(PROCESS), exist_ok=True)
        files.write_whole(PROCESS, _process())
        self._cancellation = Cancellation(running, self._clean_up)
        self._cancellation.install()

    def _execute(self) -> Failure | None:
        """Build the task and run it; return how it failed."""
        try:
            self._take_tokens()
            _loaded(self._folder).execute()
            sys.stdout.flush()
            return None
        except TaskCancelled as error:
            return Failure(FAILED, 1, error.message)
        except GracefulTimeout as error:
            return Failure(TIMEOUT, 1, error.message)
        except SystemExit as end:
            return _of_exit(end)
        except BaseException as error:
            import traceback

            traceback.print_exc()
            return Failure(FAILED, 1, f"{type(error).__name__}: {error}")

    def _take_tokens(self) -> None:
        if tokens := self._run.get("tokens"):
            from hsched.experiment.tokens import Held

            self._tokens = Held()
            self._tokens.acquire(tokens)

    def _finish(self, failure: Failure | None, running: runtime.Running) -> int:
        """Write the marker, and return the exit status."""
        assert self._cancellation is not None
        told = self._cancellation.settle()
        failure = told or failure
        if failure is None:
            _write_done(f"{self._stem}.done")
            return 0
        if told is None:
            write_failed(f"{self._stem}.failed", failure)
        if failure.reason == TIMEOUT:
            return TIMEOUT_STATUS
        status = (failure.code or 1) % 256 if told is None else 1
        return 1 if status in (0, TIMEOUT_STATUS) else status

    def _clean_up(self, failure: Failure) -> None:
        """Do what must be done when we are told to end, beside the task's own clean-up."""
        write_failed(f"{self._stem}.failed", failure)
        if self._tokens is not None:
            self._tokens.release()


def _loaded(folder: str) -> Any:
    import json

    from hsched.experiment import params

    with open("params.json", encoding="utf-8", errors="surrogateescape") as file:
        data = json.load(file)
    return params.read(data, Path(folder))


def _of_exit(end: SystemExit) -> Failure | None:
    """Return what ``sys.exit(...)`` in a task means."""
    if end.code is None or end.code == 0:
        sys.stdout.flush()
        return None
    if isinstance(end.code, int):
        return Failure(FAILED, end.code, f"sys.exit({end.code})")
    print(end.code, file=sys.stderr)
    return Failure(FAILED, 1, str(end.code))


def _process() -> str:
    import json

    value = {
        "type": "local",
        "pid": os.getpid(),
        "host": os.uname().nodename,
        "scheduler": os.environ.get("HSCHED_NAME"),
        "run": os.environ.get("HSCHED_RUN_ID"),
        "job": os.environ.get("HSCHED_JOB_ID"),
        "attempt": int(os.environ.get("HSCHED_ATTEMPT", "1")),
        "started_at": time.time(),
    }
    return json.dumps(value) + "\n"


def _write_done(path: str) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666))


def _clear(folder: str, name: str) -> None:
    """Remove what an earlier run has left: only what can be resumed finds it again."""
    import shutil

    for entry in list(os.scandir(folder)):
        if entry.name in _KEPT or entry.name.startswith(f"{name}."):
            continue
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)
    _remove(os.path.join(folder, ".experimaestro", "progress.json"))


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def _end(status: int) -> NoReturn:
    """End the process; at once where nobody has anything left to do at its end."""
    import atexit

    threading = sys.modules.get("threading")
    alone = threading is None or threading.active_count() == 1
    if alone and atexit._ncallbacks() == 0:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):
                continue  # a full disk, or closed by the task: told before, where it mattered
        os._exit(status)
    sys.exit(status)
